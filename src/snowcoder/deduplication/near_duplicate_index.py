"""NearDuplicateIndex: holds kept files, and answers whether another file is a near duplicate of one of them.

LSH bands nominate; the exact Jaccard of the two shingle sets decides. A match is therefore always real; what LSH does not nominate is
missed (see minhash: about half of the pairs at Jaccard 0.7, one in 17 at 0.8, none to speak of from 0.9).
Memory: 8 bytes per distinct shingle and about 100 bytes per band of every inserted file.
"""

from dataclasses import dataclass

import numpy as np

from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.minhash import band_shape, make_scheme
from snowcoder.deduplication.shingles import jaccard, shingle


@dataclass(frozen=True, slots=True)
class Sketch:
    """What the index needs to know of a file: sorted distinct uint64 shingles, uint64[bands] band keys."""

    shingles: np.ndarray
    band_keys: np.ndarray


def sketch(content: str, params: DeduplicationParams) -> Sketch:
    """The sketch of a file's whole content (a shared licence header is a small part of it)."""
    shingles = shingle(content, params.ngram_tokens)
    return Sketch(shingles, make_scheme(params).band_keys_of_sets(shingles, np.array([0, shingles.size]))[0])


class NearDuplicateIndex:
    """Files kept so far, by key. The same insertions in the same order give the same answers."""

    def __init__(self, params: DeduplicationParams) -> None:
        self.params = params
        self.n_verified = 0
        self._shingles: dict[str, np.ndarray] = {}
        self._keys: list[str] = []
        # per band: band key -> numbers (places in _keys) of the files that have it
        self._buckets: list[dict[int, list[int]]] = [{} for _ in range(band_shape(params.jaccard_threshold, params.n_permutations)[0])]

    def __len__(self) -> int:
        return len(self._shingles)

    def insert(self, key: str, content: str) -> None:
        """Keep a file. Raises ValueError if the key is taken."""
        self.insert_sketch(key, sketch(content, self.params))

    def match(self, content: str) -> tuple[str, float] | None:
        """The kept key most similar to `content` and their exact Jaccard, which reaches the threshold; None if no nominated one does."""
        return self.match_sketch(sketch(content, self.params))

    def insert_sketch(self, key: str, file: Sketch) -> None:
        """`insert` of a file whose sketch has been computed before."""
        if key in self._shingles:
            raise ValueError(f"key {key!r} is already in the index")
        for bucket, band in zip(self._buckets, file.band_keys.tolist(), strict=True):
            bucket.setdefault(band, []).append(len(self._keys))
        self._shingles[key] = file.shingles
        self._keys.append(key)

    def match_sketch(self, file: Sketch) -> tuple[str, float] | None:
        """`match` of a file whose sketch has been computed before. Of equals, the file inserted first."""
        best: tuple[str, float] | None = None
        for key in self.candidates(file):
            found = self._verified_jaccard(file.shingles, self._shingles[key])
            if found is not None and (best is None or found > best[1]):
                best = (key, found)
        return best

    def candidates(self, file: Sketch) -> list[str]:
        """Kept keys that share a band with the file, in the order of insertion."""
        bands = zip(self._buckets, file.band_keys.tolist(), strict=True)
        return [self._keys[number] for number in sorted({number for bucket, band in bands for number in bucket.get(band, ())})]

    def _verified_jaccard(self, left: np.ndarray, right: np.ndarray) -> float | None:
        threshold = self.params.jaccard_threshold
        if min(left.size, right.size) < threshold * max(left.size, right.size) * (1 - 1e-9):
            return None  # Jaccard cannot exceed the ratio of the sizes
        self.n_verified += 1
        found = jaccard(left, right)
        return found if found >= threshold else None

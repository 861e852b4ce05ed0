"""Chooses the survivors: best file first, a file is dropped only for its own likeness to a file that is kept.

No connected components: of a chain A ~ B ~ C in which A and C differ, C is not deleted for being like B, unless B is kept. So every drop
names a kept file and the exact Jaccard with it, and no chain can wipe out a source.
"""

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from snowcoder.deduplication.exact import group_exact
from snowcoder.deduplication.index import NearDuplicateIndex, Sketch
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.deduplication.survivors import Rank


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file before the choice: its rank (which holds its identity), the hash of its bytes, uint64[bands] band keys."""

    rank: Rank
    content_key: bytes
    band_keys: np.ndarray


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a file goes: 'exact' (equal bytes) or 'near', the kept file that stands for it, their exact Jaccard."""

    reason: str
    kept_file_id: str
    kept_repository: str
    kept_path: str
    jaccard: float


@dataclass(frozen=True, slots=True)
class Choice:
    """All drops by file_id; how many files LSH nominated and how many pairs were verified."""

    drops: dict[str, Drop]
    n_nominated: int
    n_verified: int


def choose_survivors(
    files: Sequence[Candidate], shingles_of: Callable[[Set[str]], dict[str, np.ndarray]], params: DeduplicationParams
) -> Choice:
    """The choice; it does not depend on the order of `files`. shingles_of(file ids) is asked once, for the nominated files alone."""
    ordered = sorted(files, key=lambda file: file.rank)
    by_id = {file.rank.file_id: file for file in ordered}
    leader_of = group_exact((file.rank.file_id, file.content_key) for file in ordered)
    leaders = [file for file in ordered if leader_of[file.rank.file_id] == file.rank.file_id]
    nominated = nominate(leaders)
    near, n_verified = _near_matches(nominated, shingles_of({file.rank.file_id for file in nominated}), params)
    drops = {}
    for file_id, leader in leader_of.items():
        if leader in near:  # also for the exact copies of a near duplicate: the file named must be a kept one
            drops[file_id] = _drop("near", by_id[near[leader][0]].rank, near[leader][1])
        elif leader != file_id:
            drops[file_id] = _drop("exact", by_id[leader].rank, 1.0)
    return Choice(drops, len(nominated), n_verified)


def nominate(files: Sequence[Candidate]) -> list[Candidate]:
    """The files that share a band with another, in their order; no other file can be in a pair."""
    if not files:
        return []
    shares = np.zeros(len(files), dtype=bool)
    for keys in np.stack([file.band_keys for file in files], axis=1):
        _, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
        shares |= counts[places] > 1
    return [file for file, share in zip(files, shares, strict=True) if share]


def largest_cluster(drops: dict[str, Drop]) -> tuple[str, int]:
    """(kept file_id, files dropped for it) of the file that stands for most others; ('', 0) without drops."""
    sizes = Counter(drop.kept_file_id for drop in drops.values())
    return min(sizes.items(), key=lambda item: (-item[1], item[0]), default=("", 0))


def _near_matches(
    ordered: Sequence[Candidate], shingles: dict[str, np.ndarray], params: DeduplicationParams
) -> tuple[dict[str, tuple[str, float]], int]:
    """dropped file_id -> (kept file_id, Jaccard), and the number of pairs verified."""
    index = NearDuplicateIndex(params)
    near = {}
    for file in ordered:
        file_id = file.rank.file_id
        sketch = Sketch(shingles[file_id], file.band_keys)
        match = index.match_sketch(sketch)
        if match is None:
            index.insert_sketch(file_id, sketch)
        else:
            near[file_id] = match
    return near, index.n_verified


def _drop(reason: str, kept: Rank, jaccard: float) -> Drop:
    return Drop(reason, kept.file_id, kept.repository, kept.path, jaccard)

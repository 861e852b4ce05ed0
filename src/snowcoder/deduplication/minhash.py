"""MinHash signatures (Broder 1997) and their LSH bands, by datasketch.

Arithmetic of the defaults: 256 permutations at threshold 0.7 give 25 bands of 10 rows by datasketch's optimiser (equal weight of false
positives and false negatives). A pair of Jaccard s shares a band, and so is nominated, with probability 1 - (1 - s^10)^25:
0.14 at 0.6, 0.51 at 0.7, 0.94 at 0.8, 0.99998 at 0.9. False nominations cost time only, as every pair is verified; missed pairs stay.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from datasketch import MinHash, MinHashLSH

from snowcoder.deduplication.settings import DeduplicationParams

# Shingles hashed at once: 512 x 256 x 4 bytes = 0.5 MB, which stays in a processor's cache, whatever the size of the file.
BATCH_SHINGLES = 512


def signature(shingles: np.ndarray, params: DeduplicationParams) -> np.ndarray:
    """uint32[n_permutations] of a non-empty uint64 shingle set. Equal places of two signatures / n_permutations estimates their Jaccard."""
    minhash = _empty_minhash(params.n_permutations, params.seed).copy()
    for batch in _batches(shingles):
        # datasketch permutes 32-bit values; the upper half of the polynomial hash is the better mixed one
        minhash.update_batch((batch >> np.uint64(32)).tolist())
    return minhash.hashvalues


@lru_cache
def band_shape(jaccard_threshold: float, n_permutations: int) -> tuple[int, int]:
    """(bands, rows per band) by datasketch's optimiser; bands x rows <= n_permutations."""
    if jaccard_threshold == 1.0:
        return 1, n_permutations  # the optimiser's integral above the threshold is empty
    index = MinHashLSH(threshold=jaccard_threshold, num_perm=n_permutations)
    return index.b, index.r


def band_keys(signature_: np.ndarray, params: DeduplicationParams) -> np.ndarray:
    """uint64[bands]: a hash of each band's rows; files that share a key in the same place are nominated as near duplicates."""
    bands, rows = band_shape(params.jaccard_threshold, params.n_permutations)
    rows_br = signature_[: bands * rows].reshape(bands, rows).astype(np.uint64)
    keys = np.zeros(bands, dtype=np.uint64)
    for row in range(rows):
        keys = (keys ^ rows_br[:, row]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def nomination_probability(jaccard: float, params: DeduplicationParams) -> float:
    """Probability that a pair of this Jaccard shares a band (Leskovec et al., Mining of Massive Datasets, section 3.4)."""
    bands, rows = band_shape(params.jaccard_threshold, params.n_permutations)
    return 1.0 - (1.0 - jaccard**rows) ** bands


@lru_cache
def _empty_minhash(n_permutations: int, seed: int) -> MinHash:
    return MinHash(num_perm=n_permutations, seed=seed, hashfunc=int)


def _batches(shingles: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, shingles.size, BATCH_SHINGLES):
        yield shingles[start : start + BATCH_SHINGLES]

"""The parameters of MinHash LSH, by datasketch: its affine32 permutations and its optimiser's bands.

Arithmetic of the defaults: 256 permutations at threshold 0.7 give 25 bands of 10 rows by datasketch's optimiser (equal weight of false
positives and false negatives). A pair of Jaccard s shares a band, and so is nominated, with probability 1 - (1 - s^10)^25:
0.14 at 0.6, 0.51 at 0.7, 0.94 at 0.8, 0.99998 at 0.9. False nominations cost time only, as every pair is verified; missed pairs stay.
"""

from functools import lru_cache

import numpy as np
from datasketch import MinHash, MinHashLSH

from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.minhash import Scheme


@lru_cache
def make_scheme(params: DeduplicationParams) -> Scheme:
    """The sketching scheme of these parameters."""
    multipliers, increments = MinHash(num_perm=params.n_permutations, seed=params.seed, scheme="affine32").permutations
    bands, rows = band_shape(params.jaccard_threshold, params.n_permutations)
    return Scheme(params.ngram_tokens, np.ascontiguousarray(multipliers), np.ascontiguousarray(increments), bands, rows)


@lru_cache
def band_shape(jaccard_threshold: float, n_permutations: int) -> tuple[int, int]:
    """(bands, rows per band) by datasketch's optimiser; bands x rows <= n_permutations."""
    if jaccard_threshold == 1.0:
        return 1, n_permutations  # the optimiser's integral above the threshold is empty
    index = MinHashLSH(threshold=jaccard_threshold, num_perm=n_permutations)
    return index.b, index.r


def nomination_probability(jaccard: float, params: DeduplicationParams) -> float:
    """Probability that a pair of this Jaccard shares a band (Leskovec et al., Mining of Massive Datasets, section 3.4)."""
    bands, rows = band_shape(params.jaccard_threshold, params.n_permutations)
    return 1.0 - (1.0 - jaccard**rows) ** bands

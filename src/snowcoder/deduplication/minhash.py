"""Computes MinHash signatures (Broder 1997) and LSH bands: datasketch's affine32 permutations and bands, applied by compiled loops.

Arithmetic of the defaults: 256 permutations at threshold 0.7 give 25 bands of 10 rows by datasketch's optimiser (equal weight of false
positives and false negatives). A pair of Jaccard s shares a band, and so is nominated, with probability 1 - (1 - s^10)^25:
0.14 at 0.6, 0.51 at 0.7, 0.94 at 0.8, 0.99998 at 0.9. False nominations only cost time, as every pair is verified; missed pairs stay.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from datasketch import MinHash, MinHashLSH

from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.kernels import set_band_keys, sign, text_band_keys


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """How a file is sketched.

    multipliers, increments: uint32[permutations], the permutation p being x -> multipliers[p] * x + increments[p] modulo 2**32.
    bands, rows: bands x rows <= permutations; the first bands x rows places of a signature are cut into bands.
    """

    ngram_tokens: int
    multipliers: np.ndarray
    increments: np.ndarray
    bands: int
    rows: int

    def signature(self, shingles: np.ndarray) -> np.ndarray:
        """uint32[permutations] of a non-empty uint64 shingle set. Equal places of two signatures / permutations estimates their Jaccard."""
        lowest = np.full(self.multipliers.size, 2**32 - 1, dtype=np.uint32)
        sign(shingles, shingles.size, self.multipliers, self.increments, np.empty(shingles.size, np.uint32), lowest)
        return lowest

    def band_keys_of_sets(self, shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """uint64[sets, bands]; set i is shingles[starts[i] : starts[i + 1]]. Files that share a key are nominated as near duplicates."""
        keys = np.empty((starts.size - 1, self.bands), dtype=np.uint64)
        set_band_keys(shingles, starts, self.multipliers, self.increments, self.rows, keys)
        return keys

    def band_keys_of_texts(self, text: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """uint64[texts, bands]; text i is the UTF-8 bytes text[starts[i] : starts[i + 1]]."""
        keys = np.empty((starts.size - 1, self.bands), dtype=np.uint64)
        text_band_keys(text, starts, self.ngram_tokens, self.multipliers, self.increments, self.rows, keys)
        return keys


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

"""MinHash signatures (Broder 1997) and their LSH bands: the permutations of datasketch's affine32 scheme, applied by compiled loops.

A Scheme is all that sketching needs; lsh.py makes it from the parameters.
"""

from dataclasses import dataclass

import numpy as np

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

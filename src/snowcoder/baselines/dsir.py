"""Importance of a file's hashed n-grams for the positives: DSIR (Xie et al. 2023, arXiv 2302.03169).

in: n-gram counts of examples, their folds   out: float64 [folds, buckets]; a score per file

A bag-of-n-grams model of the target (the positives) and one of the raw data (ordinary files) are frequencies of buckets, smoothed by one.
A file's importance is log p_target - log p_raw, a sum over its n-grams. Two deviations: it is divided by the number of n-grams, as a sum
ranks by length first, and the highest files are taken, where DSIR resamples with Gumbel noise, as every arm here is a ranking.
"""

import numpy as np
from scipy.sparse import csr_matrix

DECIMALS = 8  # of a weight: the logarithm of another processor may differ in the last ones


def fit_log_ratios(counts: csr_matrix, is_positive: np.ndarray, folds: np.ndarray, n_folds: int) -> np.ndarray:
    """float64 [n_folds, buckets]: log2 p_target / p_raw of the examples that are not of the fold. counts: [examples, buckets]."""
    ratios = [
        _log_frequencies(counts[is_positive & (folds != fold)]) - _log_frequencies(counts[~is_positive & (folds != fold)])
        for fold in range(n_folds)
    ]
    return np.round(ratios, DECIMALS)


def score(counts: csr_matrix, log_ratios: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """float64 [files]: mean log ratio of a file's n-grams, by its fold's model; 0 without an n-gram. counts: [files, buckets]."""
    sums = np.zeros(counts.shape[0])
    for fold, ratios in enumerate(log_ratios):
        sums[folds == fold] = counts[folds == fold] @ ratios
    return sums / np.maximum(1.0, counts @ np.ones(counts.shape[1]))


def _log_frequencies(counts: csr_matrix) -> np.ndarray:
    totals = counts.T @ np.ones(counts.shape[0]) + 1.0
    return np.log2(totals / totals.sum())

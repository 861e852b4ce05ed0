"""Confidence intervals (95% by default) for a proportion and for a ratio of sums.

in: counts or arrays   out: (low, high)
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from snowcoder.seeding import generator

CONFIDENCE = 0.95
RESAMPLES = 2000
MAX_INDICES = 2**22  # indices drawn at a time: 32 MiB


def wilson_interval(successes: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927): honest near 0 and 1, where the normal interval has width 0.

    0 of 164 gives (0, 0.0229): no success in 164 trials excludes rates above 2.3%. Raises ValueError unless 0 <= successes <= total > 0.
    """
    if not 0 <= successes <= total or total == 0:
        raise ValueError(f"wilson_interval: {successes} successes of {total}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = successes / total
    denominator = 1 + z * z / total
    centre = (rate + z * z / (2 * total)) / denominator
    half = z / denominator * (rate * (1 - rate) / total + z * z / (4 * total * total)) ** 0.5
    # at the ends the interval touches 0 or 1 exactly; rounding must not pass them
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == total else min(1.0, centre + half)
    return low, high


def share_interval(shares: ArrayLike, seed: int) -> tuple[float, float]:
    """95% interval of the mean of shares, one per problem, each from 0 to 1: how many of its samples passed.

    Wilson's where all are 0 or 1, and where all are the same, which a bootstrap would give no width; else a bootstrap of the problems, as
    samples of one problem are alike. Raises ValueError for no problem.
    """
    values = np.asarray(shares, dtype=np.float64)
    if np.isin(values, (0, 1)).all() or (values == values[0]).all():
        return wilson_interval(round(float(values.sum())), values.size)
    return bootstrap_ratio_interval(values, np.ones(values.size), seed)


def bootstrap_ratio_interval(
    numerators: ArrayLike, denominators: ArrayLike, seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Percentile bootstrap (Efron 1979) of sum(numerators) / sum(denominators), items resampled in pairs.

    numerators, denominators: one number per item, denominators > 0. The same seed gives the same interval. Items are taken as independent:
    where they come in groups (files of one repository), clustered.py is right. Raises ValueError for no items or a denominator <= 0.
    """
    pairs = np.stack([np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)])
    n_items = pairs.shape[1]
    if n_items == 0 or (pairs[1] <= 0).any():
        raise ValueError(f"bootstrap_ratio_interval: {n_items} items; needs at least one, and denominators above 0")
    draws = generator(seed, "bootstrap_ratio_interval")
    rows = max(1, MAX_INDICES // n_items)
    ratios = []
    for first in range(0, resamples, rows):
        chosen = draws.integers(0, n_items, size=(min(rows, resamples - first), n_items))
        ratios.append(pairs[0][chosen].sum(axis=1) / pairs[1][chosen].sum(axis=1))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(ratios), [tail, 1 - tail])
    return float(low), float(high)

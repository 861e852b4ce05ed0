"""Compares two models on the same items, paired, for one training seed of each; sums several seeds of one model up.

in: what each solved (0 or 1, or a share of samples, per problem), or bits per text   out: difference with interval, p-value

Two models are compared problem by problem: what both solve, or neither, says nothing about a difference, and falls out. Two
intervals that overlap do not show that two models are alike. The paired interval is over problems: it says how far the difference would
move on other problems of the same kind, not what another training seed would do.

An interval over items alone says nothing of another seed: block_model.py compares over seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import NormalDist, fmean

import numpy as np
from numpy.typing import ArrayLike

from snowcoder.seeding import generator
from snowcoder.statistics.clustered import clustered_ratio_interval, count_clusters
from snowcoder.statistics.intervals import CONFIDENCE, MAX_INDICES, RESAMPLES


@dataclass(frozen=True)
class PairedComparison:
    """first - second.

    difference: of the means. interval: of the difference. p_value: exact McNemar where all scores are 0 or 1, else that of the bootstrap.
    is_explained: by the choice of problems: the interval holds 0, or p_value is above 1 - confidence.
    """

    difference: float
    interval: tuple[float, float]
    only_first: int
    only_second: int
    p_value: float
    is_explained: bool


def compare_paired(
    first: Sequence[float], second: Sequence[float], seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> PairedComparison:
    """Scores of two models on the same problems, in the same order. Raises ValueError for no problems or unequal numbers of them."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"compare_paired: {a.size} and {b.size} problems; needs the same problems, at least one")
    only_first, only_second = int((a > b).sum()), int((b > a).sum())
    interval, bootstrap_p = paired_bootstrap(a, b, seed, resamples, confidence)
    binary = bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all())
    p_value = mcnemar_p_value(only_first, only_second) if binary else bootstrap_p
    is_explained = interval[0] <= 0 <= interval[1] or p_value > 1 - confidence
    return PairedComparison(float(a.mean() - b.mean()), interval, only_first, only_second, p_value, is_explained)


def paired_bootstrap(
    first: ArrayLike, second: ArrayLike, seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> tuple[tuple[float, float], float]:
    """(percentile interval of mean(first - second), two-sided p-value), problems resampled with replacement (Efron 1979; for systems on the
    same test set, Koehn 2004). The p-value is twice the share of resamples on the other side of 0, at least 2 / (resamples + 1)."""
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    draws = generator(seed, "paired_bootstrap")
    rows = max(1, MAX_INDICES // differences.size)
    means = np.concatenate(
        [
            differences[draws.integers(0, differences.size, size=(min(rows, resamples - start), differences.size))].mean(axis=1)
            for start in range(0, resamples, rows)
        ]
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    beyond = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return (float(low), float(high)), min(1.0, 2 * (beyond + 1) / (resamples + 1))


def compare_ratios(
    first: ArrayLike,
    second: ArrayLike,
    denominators: ArrayLike,
    clusters: Sequence[str],
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[float, tuple[float, float] | None]:
    """(sum(first) - sum(second)) / sum(denominators) and its percentile interval, whole clusters resampled; None for a single cluster.

    For bits per byte of two models on the same texts: bits of each, bytes, and repository or problem. Much sharper than two intervals side
    by side, as what makes a text hard for both falls out. Raises ValueError for unequal numbers of items, none, or a denominator <= 0.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    weights = np.asarray(denominators, dtype=np.float64)
    if not a.shape == b.shape == weights.shape == (len(clusters),) or not a.size:
        sizes = f"{a.size}, {b.size}, {weights.size} and {len(clusters)}"
        raise ValueError(f"compare_ratios: {sizes} items; needs the same items, at least one")
    several = count_clusters(clusters) > 1
    interval = clustered_ratio_interval(a - b, weights, clusters, seed, resamples, confidence) if several else None
    return float((a - b).sum() / weights.sum()), interval


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar test (McNemar 1947): problems solved by one model only, against a fair coin.

    Problems that both solved, or neither, say nothing about a difference and are left out. 1.0 where there is no discordant problem.
    """
    discordant = only_first + only_second
    tail = sum(comb(discordant, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**discordant)


@dataclass(frozen=True)
class SeedSpread:
    """mean over seeds; interval of the mean (Student's t; None for a single seed); spread: standard deviation between seeds."""

    mean: float
    interval: tuple[float, float] | None
    spread: float | None


def over_seeds(values: Sequence[float], confidence: float = CONFIDENCE) -> SeedSpread:
    """One figure of each seed, summed up. Seeds are the unit: more problems do not narrow this interval. Raises ValueError for no seed."""
    if not values:
        raise ValueError("over_seeds: no seed")
    mean = fmean(values)
    if len(values) == 1:
        return SeedSpread(mean, None, None)
    from scipy.stats import t  # scikit-learn brings it; slow to import, and rarely needed

    spread = float(np.std(values, ddof=1))
    half = float(t.ppf(0.5 + confidence / 2, len(values) - 1)) * spread / len(values) ** 0.5
    return SeedSpread(mean, (mean - half, mean + half), spread)


def two_proportions_p_value(first: int, second: int, total_first: int, total_second: int) -> float:
    """Two-sided z test of two independent proportions with the pooled rate: for published rates, whose pairing is not known.

    On the same problems the paired test is sharper; a difference that this test does not find may still be significant there.
    """
    pooled = (first + second) / (total_first + total_second)
    error = (pooled * (1 - pooled) * (1 / total_first + 1 / total_second)) ** 0.5
    if error == 0:
        return 1.0
    return 2 * (1 - NormalDist().cdf(abs(first / total_first - second / total_second) / error))

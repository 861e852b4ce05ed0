"""Confidence interval of a ratio of sums whose items come in groups: files of one repository, mutants of one problem.

in: two numbers and a cluster per item   out: (low, high)

Items of one repository share authors, subject and style, so that the hundredth tells less than the first. Resampling items one by one takes
them as independent and gives an interval that is too narrow; here whole clusters are drawn (Cameron and Miller 2015; for evaluations of
language models Miller 2024, arXiv 2411.00640). With few clusters, under about ten, the interval is still too narrow: the percentile
bootstrap underestimates the variance by (k - 1) / k, and k clusters may simply not show what others are like. So a result has to tell k.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from snowcoder.statistics.intervals import CONFIDENCE, RESAMPLES, bootstrap_ratio_interval

FEW_CLUSTERS = 10  # below it, a page says that the interval is too narrow


def clustered_ratio_interval(
    numerators: ArrayLike,
    denominators: ArrayLike,
    clusters: Sequence[str],
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Percentile bootstrap (Efron 1979) of sum(numerators) / sum(denominators), whole clusters resampled with replacement.

    numerators, denominators, clusters: one per item, denominators > 0. What a cluster is called changes nothing, and with one item in each
    it is bootstrap_ratio_interval. Raises ValueError for unequal numbers of items, a denominator <= 0, or fewer than two clusters, from
    which nothing can be learned about others.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if not above.shape == below.shape == (len(clusters),) or (below <= 0).any():
        raise ValueError(
            f"clustered_ratio_interval: {above.size}, {below.size} and {len(clusters)} items; needs one number and cluster per item, and "
            "denominators above 0"
        )
    if count_clusters(clusters) < 2:
        raise ValueError(f"clustered_ratio_interval: {count_clusters(clusters)} clusters; needs two at least")
    return bootstrap_ratio_interval(sum_by_cluster(above, clusters), sum_by_cluster(below, clusters), seed, resamples, confidence)


def sum_by_cluster(values: ArrayLike, clusters: Sequence[str]) -> np.ndarray:
    """float64 [..., k]: the sums of values [..., n] over the items of each cluster; clusters in the order in which they first occur."""
    numbers = np.asarray(values, dtype=np.float64)
    _, first, group = np.unique(np.asarray(clusters), return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))[group]
    rows = [np.bincount(place, weights=row, minlength=len(first)) for row in numbers.reshape(-1, numbers.shape[-1])]
    return np.stack(rows).reshape(*numbers.shape[:-1], len(first))


def count_clusters(clusters: Sequence[str]) -> int:
    """How many different ones there are."""
    return len(set(clusters))

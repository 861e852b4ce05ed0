"""Two models that were each trained with several seeds, on the same items: the difference, with seeds and items resampled.

in: one number per seed and item   out: difference, (low, high)

An interval over items alone says nothing of another seed, one over seeds alone nothing of other problems; here each resample draws the
seeds of both models and then the items, which both share (two-level bootstrap; Davison and Hinkley 1997, section 3.8). With few seeds the
spread between them is underestimated, by a factor of (n - 1) / n in variance, and n = 3 seeds have ten different resamples only: an
interval that barely leaves out 0 is then no evidence.
"""

import numpy as np
from numpy.typing import ArrayLike

from snowcoder.seeding import generator
from snowcoder.statistics.intervals import CONFIDENCE, RESAMPLES


def bootstrap_over_seeds(
    first: ArrayLike, second: ArrayLike, weights: ArrayLike, seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> tuple[float, tuple[float, float]]:
    """(difference, percentile interval) of sum(first) / sum(weights) - sum(second) / sum(weights), each a mean over its seeds.

    first, second: [seeds, items], such as bits, or 1 and 0 for solved; the numbers of seeds may differ. weights: [items] > 0, such as
    bytes, or ones. Raises ValueError for no seeds, no items, unequal items or a weight <= 0.
    """
    a, b, w = (np.asarray(values, dtype=np.float64) for values in (first, second, weights))
    if a.ndim != 2 or b.ndim != 2 or not a.size or not b.size or {a.shape[1], b.shape[1]} != {w.size} or (w <= 0).any():
        raise ValueError(f"bootstrap_over_seeds: shapes {a.shape}, {b.shape} and {w.shape}; needs [seeds, items] twice, [items] above 0")
    draws = generator(seed, "bootstrap_over_seeds")
    differences = np.empty(resamples)
    for index in range(resamples):
        times = _times_drawn(draws, w.size)
        means = [_times_drawn(draws, len(values)) @ values / len(values) for values in (a, b)]
        differences[index] = (means[0] - means[1]) @ times / (w @ times)
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float((a.mean(axis=0) - b.mean(axis=0)).sum() / w.sum()), (float(low), float(high))


def _times_drawn(draws: np.random.Generator, n: int) -> np.ndarray:
    """How often each of `n` is drawn in `n` draws with replacement."""
    return np.bincount(draws.integers(0, n, size=n), minlength=n)

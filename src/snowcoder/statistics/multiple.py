"""Several comparisons at once: Holm's correction of a family of tests, and Dunnett's intervals of many arms against one.

in: p-values, or the correlations of the comparisons   out: adjusted p-values, or the half-width of the intervals in standard errors
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from snowcoder.seeding import generator
from snowcoder.statistics.intervals import CONFIDENCE

SIMULATED = 2**18  # the quantile's own error is then about 0.005


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Holm 1979), in the order of `p_values`, which are the whole family.

    The k-th smallest of m is multiplied by m + 1 - k, and never falls below a smaller one's. At most a share alpha of families with a true
    null hypothesis has one of them at or below alpha, whatever the dependence between the tests. A test that could not be made counts
    as 1: it must not shrink the family. Raises ValueError for a value outside 0 to 1.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"holm: p-values {list(p_values)}; allowed: 0 to 1")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, values[order] * np.arange(values.size, 0, -1)))
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return [float(value) for value in adjusted]


def dunnett_quantile(covariance: ArrayLike, degrees_of_freedom: int, confidence: float = CONFIDENCE) -> float:
    """Standard errors on either side of each of k differences, such that all k intervals hold at once with `confidence` (Dunnett 1955).

    covariance: [k, k] of the differences, up to a factor: with blocks or unequal numbers of runs the differences are not equally
    correlated, which scipy.stats.dunnett takes for granted. The quantile is that of the largest of k absolute values of a multivariate t,
    from 2^18 draws of a fixed seed. Raises ValueError for less than one degree of freedom.
    """
    shared = np.asarray(covariance, dtype=np.float64)
    if degrees_of_freedom < 1:
        raise ValueError(f"dunnett_quantile: {degrees_of_freedom} degrees of freedom; allowed: 1 or more")
    scale = np.sqrt(np.diag(shared))
    factor = np.linalg.cholesky(shared / np.outer(scale, scale))
    draws = generator(1, "dunnett_quantile")
    normal = draws.standard_normal((SIMULATED, len(shared))) @ factor.T
    spread = np.sqrt(draws.chisquare(degrees_of_freedom, SIMULATED) / degrees_of_freedom)
    return float(np.quantile(np.abs(normal).max(axis=1) / spread, confidence))

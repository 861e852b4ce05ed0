"""The power of a t test: the smallest difference that planned runs will find.

in: standard error and degrees of freedom of a difference   out: a difference, in the same unit
"""

import numpy as np

POWER = 0.8
QUANTILES = 10_000  # of the estimated spread, over which the power is averaged


def smallest_detectable(standard_error: float, degrees_of_freedom: int, significance: float, power: float = POWER) -> float:
    """The true difference that a two-sided t test at `significance` finds with probability `power`.

    The power is that of the noncentral t distribution: the normal one's, averaged over the spread that the test will estimate
    (scipy.stats.nct gives NaN far out). For many degrees of freedom the difference is (z of 1 - significance / 2 + z of power) standard
    errors. Raises ValueError for less than one degree of freedom.
    """
    from scipy.optimize import brentq  # slow to import, and rarely needed
    from scipy.stats import chi2, norm, t

    if degrees_of_freedom < 1:
        raise ValueError(f"smallest_detectable: {degrees_of_freedom} degrees of freedom; allowed: 1 or more")
    estimated = np.sqrt(chi2.ppf((np.arange(QUANTILES) + 0.5) / QUANTILES, degrees_of_freedom) / degrees_of_freedom)
    critical = estimated * float(t.ppf(1 - significance / 2, degrees_of_freedom))

    def lacking(shift: float) -> float:
        return float((norm.sf(critical - shift) + norm.cdf(-critical - shift)).mean()) - power

    return standard_error * float(brentq(lacking, 0.0, float(critical.max()) + 10))

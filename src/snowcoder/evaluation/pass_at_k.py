"""pass@k: the chance that at least one of k samples of a problem passes, estimated from n >= k samples without bias.

in: samples and passes per problem   out: a number in [0, 1]
"""

from collections.abc import Iterable
from math import comb


def pass_at_k(n_samples: int, n_passed: int, k: int) -> float:
    """1 - C(n - c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374, equation 1): the share of k-subsets that hold a passing sample.

    Raises ValueError unless 0 <= n_passed <= n_samples and 1 <= k <= n_samples.
    """
    if not (0 <= n_passed <= n_samples and 1 <= k <= n_samples):
        raise ValueError(f"pass_at_k: {n_passed} passed of {n_samples}, k = {k}; allowed: 0 <= passed <= samples, 1 <= k <= samples")
    return 1.0 - comb(n_samples - n_passed, k) / comb(n_samples, k)


def mean_pass_at_k(counts: Iterable[tuple[int, int]], k: int) -> float:
    """Mean over problems; counts: (n_samples, n_passed) of each. Raises ValueError if there is none."""
    values = [pass_at_k(n_samples, n_passed, k) for n_samples, n_passed in counts]
    if not values:
        raise ValueError("mean_pass_at_k: no problems")
    return sum(values) / len(values)

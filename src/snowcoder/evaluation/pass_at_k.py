"""pass@k: the chance that at least one of k samples of a problem passes, estimated from n >= k samples without bias.

in: samples and passes per problem   out: a number in [0, 1]
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb
from typing import Any

import numpy as np

from snowcoder.statistics.intervals import bootstrap_ratio_interval, wilson_interval

REPORTED_K = (1, 10, 100)
INTERVAL_SEED = 1


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


def summarise_passes(samples: Sequence[tuple[str, bool]]) -> dict[str, Any]:
    """(problem, passed) of every sample -> {passed, total: samples; problems; pass@k, for each reported k that every problem has samples
    for;
    ci95 of pass@1}.

    The interval is over problems: Wilson's for one sample a problem; a bootstrap of the problems' means where there are more, as samples of
    one problem are alike. Where all problems have the same share of passes that bootstrap has no width, and Wilson's over problems is
    given.
    """
    totals, passes = Counter(problem for problem, _ in samples), Counter(problem for problem, passed in samples if passed)
    counts = [(totals[problem], passes[problem]) for problem in totals]
    summary: dict[str, Any] = {"passed": sum(passes.values()), "total": len(samples), "problems": len(totals)}
    summary |= {f"pass@{k}": mean_pass_at_k(counts, k) for k in REPORTED_K if k <= min(totals.values())}
    shares = np.array([passed / total for total, passed in counts])
    if len(samples) == len(totals) or (shares == shares[0]).all():
        summary["ci95"] = wilson_interval(round(float(shares.sum())), len(shares))
    else:
        summary["ci95"] = bootstrap_ratio_interval(shares, np.ones(len(shares)), INTERVAL_SEED)
    return summary

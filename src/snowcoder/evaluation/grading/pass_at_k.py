"""Estimates pass@k, the chance that at least one of k samples of a problem passes, from n >= k samples without bias.

in: samples and passes per problem   out: a number in [0, 1]
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import comb
from typing import Any

import numpy as np

from snowcoder.errors import ParameterError
from snowcoder.statistics.intervals import share_interval

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
    """Mean over problems; counts: (n_samples, n_passed) of each. A problem without a sample counts as failed: 0 for every k.

    Raises ValueError if there is no problem, or one that has fewer than k samples, but some.
    """
    values = [pass_at_k(n_samples, n_passed, k) if n_samples else 0.0 for n_samples, n_passed in counts]
    if not values:
        raise ValueError("mean_pass_at_k: no problems")
    return sum(values) / len(values)


def check_k(ks: Sequence[int], samples_of: Mapping[str, int]) -> None:
    """Raises ParameterError for a k below 1, or if no k asked for can be estimated from so many samples of each problem."""
    most = max(samples_of.values())
    if min(ks) < 1:
        raise ParameterError(f"--k: found {min(ks)}; allowed: whole numbers from 1")
    if min(ks) > most:
        raise ParameterError(
            f"--k: found {', '.join(map(str, ks))}; allowed: up to {most}, the most samples that a problem has: pass@k is estimated from "
            "at least k samples of each problem, drawn at a temperature above 0"
        )


def summarise_passes(samples: Sequence[tuple[str, bool]], ks: Sequence[int] | None = None, missing: Sequence[str] = ()) -> dict[str, Any]:
    """(problem, passed) of every sample -> {passed, total: samples; problems; pass@1 and pass@k; ci95 of pass@1; not_estimated: {pass@k:
    why}, where there is such a k}.

    ks: None for 1, 10 and 100, as far as any problem has samples. missing: problems that have no sample: they count as failed.

    The interval is over problems: Wilson's for one sample a problem; a bootstrap of the problems' means where there are more, as samples of
    one problem are alike. Where all problems have the same share of passes that bootstrap has no width, and Wilson's over problems is
    given.
    """
    totals, passes = Counter(problem for problem, _ in samples), Counter(problem for problem, passed in samples if passed)
    counts = [(totals[problem], passes[problem]) for problem in totals] + [(0, 0)] * len(missing)
    summary: dict[str, Any] = {"passed": sum(passes.values()), "total": len(samples), "problems": len(counts)}
    most = max(totals.values())
    chosen = [k for k in REPORTED_K if k <= most] if ks is None else sorted({1, *ks})
    reasons = {f"pass@{k}": _too_few(totals, k) for k in chosen if k > min(totals.values())}
    summary |= {f"pass@{k}": mean_pass_at_k(counts, k) for k in chosen if f"pass@{k}" not in reasons}
    if reasons:
        summary["not_estimated"] = reasons
    shares = np.array([passed / total if total else 0.0 for total, passed in counts])
    return summary | {"ci95": share_interval(shares, INTERVAL_SEED)}


def _too_few(totals: Mapping[str, int], k: int) -> str:
    short = [problem for problem, total in totals.items() if total < k]
    fewest = min(short, key=lambda problem: totals[problem])
    counted = f"{len(short)} of {len(totals)} problems with samples"
    return f"needs {k} samples of each problem; {counted} have fewer, such as {fewest} with {totals[fewest]}"

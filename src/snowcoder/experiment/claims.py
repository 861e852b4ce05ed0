"""Tests the claims that params fixed before the run, and separates the subject of the chosen files from their quality.

in: the block model at the claims' learning rate   out: a verdict for each claim; of an arm with a matched control its two parts
"""

from typing import Literal, NamedTuple

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.ranking import control_of
from snowcoder.statistics.block_model import BlockFit, Difference
from snowcoder.statistics.multiple import holm
from snowcoder.statistics.power import smallest_detectable

SIGNIFICANCE = 0.05  # of the whole family of claims
Verdict = Literal["better", "worse", "open", "not run"]


class ClaimResult(NamedTuple):
    """A claim that `better` needs fewer bits per byte than `worse`.

    difference: better - worse, its interval for this claim alone. holm_p: corrected for the family. detectable: the smallest true
    difference that these runs would find in 80 of 100 experiments. None where it could not be computed.
    """

    better: str
    worse: str
    difference: Difference | None
    holm_p: float | None
    detectable: float | None
    verdict: Verdict


class Decomposition(NamedTuple):
    """What an arm gains over random files, in two parts that add up to it: chosen - matched and matched - control.

    match: what the matched random files have in common with the chosen ones: their repositories (the subject), or their length.
    """

    chosen: str
    matched: str
    control: str
    match: str
    within: Difference
    between: Difference


def judge_claims(fit: BlockFit, params: BranchesParams) -> list[ClaimResult]:
    """Every claim of params, two-sided, with Holm's correction. A claim whose arms did not run stays in the family, as undecided."""
    pairs = [(better, worse) for better, worse in params.claims]
    found = [fit.difference(*pair) if fit.levels.keys() >= set(pair) else None for pair in pairs]
    adjusted = holm([1.0 if one is None or one.p_value is None else one.p_value for one in found])
    return [
        ClaimResult(better, worse, one, p if one and one.p_value is not None else None, _detectable(one, fit, len(pairs)), _verdict(one, p))
        for (better, worse), one, p in zip(pairs, found, adjusted, strict=True)
    ]


def decompose(fit: BlockFit, params: BranchesParams) -> list[Decomposition]:
    """Of every arm with a matched random arm: the part within what is matched, and the part between."""
    found = []
    for name, arm in params.arms.items():
        control = control_of(name, params)
        if arm.matched_to and arm.match and control and fit.levels.keys() >= {name, arm.matched_to, control}:
            within, between = fit.difference(arm.matched_to, name), fit.difference(name, control)
            found.append(Decomposition(arm.matched_to, name, control, arm.match, within, between))
    return found


def _verdict(difference: Difference | None, holm_p: float) -> Verdict:
    if difference is None:
        return "not run"
    if holm_p > SIGNIFICANCE:
        return "open"
    return "better" if difference.value < 0 else "worse"


def _detectable(difference: Difference | None, fit: BlockFit, n_claims: int) -> float | None:
    if difference is None or difference.standard_error is None:
        return None
    return smallest_detectable(difference.standard_error, fit.design.degrees_of_freedom, SIGNIFICANCE / n_claims)

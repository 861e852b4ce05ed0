"""Ranks the arms by the endpoint, and measures whether other draws or another learning rate would rank them the same way.

in: values of branches   out: levels of the arms by learning rate, the arms against random files, rank correlations
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from snowcoder.errors import SnowcoderError
from snowcoder.experiment.branch_params import PARENT_ARM, BranchesParams
from snowcoder.experiment.branch_table import BRANCH_TABLE
from snowcoder.experiment.branches import Branch
from snowcoder.selection.arms import RANDOM
from snowcoder.statistics.block_model import CONFIDENCE, BlockFit, Difference, fit_blocks

LEAST_ARMS = 3  # two are ranked the same way by chance every second time
Values = Mapping[Branch, float]


class RankedArm(NamedTuple):
    """An arm at the claims' learning rate. control: random files with as many unique tokens; difference: to it, with an interval that
    holds for all arms at once. Both None for a control.
    """

    arm: str
    level: float
    n_draws: int
    control: str | None
    difference: Difference | None


def fit_rate(values: Values, rate: float) -> BlockFit | None:
    """The block model of the branches at one learning rate; None without any. Raises SnowcoderError if arms share no draw: of a plan all
    share the first, so that branches are missing.
    """
    runs = sorted(branch for branch in values if branch.learning_rate == rate and branch.arm != PARENT_ARM)
    if not runs:
        return None
    try:
        return fit_blocks([run.arm for run in runs], [run.draw for run in runs], [values[run] for run in runs])
    except ValueError as error:
        raise SnowcoderError(f"{BRANCH_TABLE}: learning rate {rate:g}: {error}; run `dvc repro train_branches`") from error


def paired_draws(values: Values, first: str, second: str, rate: float) -> Difference | None:
    """first - second by the draws that both arms have, and by nothing else: a paired t test, which the spread of no other arm enters.

    None without a second such draw.
    """
    from scipy.stats import t  # slow to import, and rarely needed

    draws = [{run.draw: value for run, value in values.items() if (run.arm, run.learning_rate) == (arm, rate)} for arm in (first, second)]
    differences = [draws[0][draw] - draws[1][draw] for draw in sorted(draws[0].keys() & draws[1].keys())]
    if len(differences) < 2:
        return None
    df, mean = len(differences) - 1, float(np.mean(differences))
    error = float(np.std(differences, ddof=1)) / len(differences) ** 0.5
    if not error:
        return Difference(mean)
    width = float(t.ppf(0.5 + CONFIDENCE / 2, df)) * error
    return Difference(mean, error, (mean - width, mean + width), float(2 * t.sf(abs(mean) / error, df)))


def control_of(arm: str, params: BranchesParams) -> str | None:
    """The plain random arm that sees as many unique tokens; None for a plain random arm, or where there is none."""
    controls = [name for name, one in params.arms.items() if one.by == RANDOM and one.matched_to is None]
    return next((name for name in controls if arm not in controls and params.arms[name].repeats == params.arms[arm].repeats), None)


def rank_arms(fit: BlockFit, values: Values, params: BranchesParams) -> list[RankedArm]:
    """All arms that ran, fewest bits per byte first."""
    pairs = {arm: control for arm in fit.levels if (control := control_of(arm, params)) in fit.levels}
    differences = dict(zip(pairs, fit.simultaneous([(arm, str(control)) for arm, control in pairs.items()]), strict=True))
    rate = params.learning_rates[0]
    n_draws = {arm: sum(branch.arm == arm and branch.learning_rate == rate for branch in values) for arm in fit.levels}
    order = sorted(fit.levels, key=lambda arm: (fit.levels[arm], arm))
    return [RankedArm(arm, fit.levels[arm], n_draws[arm], pairs.get(arm), differences.get(arm)) for arm in order]


def rank_correlation(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Spearman's, over the arms of both; None for fewer than LEAST_ARMS, or if one side does not distinguish them."""
    from scipy.stats import spearmanr  # slow to import, and rarely needed

    arms = sorted(first.keys() & second.keys())
    sides = [[levels[arm] for arm in arms] for levels in (first, second)]
    if len(arms) < LEAST_ARMS or any(len(set(side)) == 1 for side in sides):
        return None
    return float(spearmanr(*sides).statistic)


def correlation_between_halves(values: Values, rate: float) -> float | None:
    """Mean rank correlation of the arms between two disjoint halves of the draws, over all ways to halve them that leave every arm in both.

    A half that lacks an arm ranks the others alone, which may be the easy ones. An odd draw goes to one of the halves. Half of the draws
    rank less surely than all of them; but draws overlap, and halves with them. None for fewer than LEAST_ARMS arms, or if an arm has a
    single draw.
    """
    runs = [branch for branch in values if branch.learning_rate == rate and branch.arm != PARENT_ARM]
    draws, arms = sorted({run.draw for run in runs}), {run.arm for run in runs}
    found = []
    for half in combinations(draws, len(draws) // 2):
        if 2 * len(half) == len(draws) and draws[0] not in half:
            continue  # the other half of a split that has been counted
        sides = [{run: values[run] for run in runs if (run.draw in half) == inside} for inside in (True, False)]
        if all({run.arm for run in side} == arms for side in sides):
            fits = [fit_rate(side, rate) for side in sides]
            found.append(rank_correlation(*(fit.levels if fit else {} for fit in fits)))
    known = [correlation for correlation in found if correlation is not None]
    return sum(known) / len(known) if known and len(known) == len(found) else None


def correlations_between_rates(values: Values, params: BranchesParams) -> dict[float, float | None]:
    """Rank correlation of the arms at each further learning rate with those at the claims'."""
    first, *others = params.learning_rates
    fits = {rate: fit_rate(values, rate) for rate in params.learning_rates}
    levels = {rate: fit.levels if fit else {} for rate, fit in fits.items()}
    return {rate: rank_correlation(levels[first], levels[rate]) for rate in others}


def is_ranking_claimed(between_halves: float | None, between_rates: Mapping[float, float | None], least: float) -> bool:
    """Whether the order of arms may be told as a result: other draws and every other learning rate give nearly the same one.

    A learning rate that was not tried, or draws that cannot be halved, leave the question open: no.
    """
    measured = [between_halves, *between_rates.values()]
    return bool(between_rates) and all(correlation is not None and correlation >= least for correlation in measured)

"""From the table of branches to an answer: everything that a page says, as numbers.

in: BranchBits, params   out: Analysis

The endpoint of a branch is the mean of its bits per byte over the sets that params name. Runs are the unit of every test; intervals over
texts are a second, separate answer to the question what other texts would show.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from snowcoder.errors import SnowcoderError
from snowcoder.experiment.branch_params import PARENT_ARM, BranchesParams
from snowcoder.experiment.branch_table import BRANCH_TABLE, BranchBits, SetBits, mean_bits_per_byte
from snowcoder.experiment.branches import PARENT, Branch, plan_branches
from snowcoder.experiment.claims import ClaimResult, Decomposition, decompose, judge_claims
from snowcoder.experiment.ranking import (
    RankedArm,
    control_of,
    correlation_between_halves,
    correlations_between_rates,
    fit_rate,
    is_ranking_claimed,
    paired_draws,
    rank_arms,
)
from snowcoder.statistics.block_model import BlockFit, Difference
from snowcoder.statistics.clustered import count_clusters
from snowcoder.statistics.paired import compare_ratios

SEED = 1  # of the resampling of texts


class Floors(NamedTuple):
    """Bits per byte on one set: of the model, and of n-grams of the tokens that it has seen."""

    model: float
    bigram: float
    trigram: float


class SetDifference(NamedTuple):
    """An arm against its control on one set. draws: with an interval over draws; texts: over texts, whole clusters resampled."""

    set_name: str
    arm: str
    level: float
    control: str
    draws: Difference
    texts: tuple[float, float] | None
    n_clusters: int


@dataclass(frozen=True)
class Analysis:
    """fit: endpoint at the claims' learning rate; less_trigram, less_bigram: the same less that of n-grams; by_rate: further rates.

    floors: arm (first alpha) -> set -> mean over its draws. against_trigram: set -> alpha less the trigram of its tokens, with an interval
    over texts (None for a single cluster). own_draws: of each claim, by the draws of its two arms alone.
    missing: planned branches that the table lacks.
    rank_correlation_*: None where it cannot be measured.
    """

    params: BranchesParams
    sets: list[str]
    missing: list[Branch]
    values: dict[Branch, float]
    fit: BlockFit
    less_trigram: BlockFit
    less_bigram: BlockFit
    by_rate: dict[float, BlockFit]
    floors: dict[str, dict[str, Floors]]
    against_trigram: dict[str, tuple[float, tuple[float, float] | None]]
    ranked: list[RankedArm]
    claims: list[ClaimResult]
    own_draws: list[Difference | None]
    decompositions: list[Decomposition]
    by_set: list[SetDifference]
    rank_correlation_halves: float | None
    rank_correlation_rates: dict[float, float | None]

    @property
    def sets_behind_trigram(self) -> list[str]:
        """Sets on which alpha does not beat the trigram of its own tokens, whichever texts of the kind are taken."""
        return [name for name, (_, interval) in self.against_trigram.items() if interval is None or interval[1] >= 0]

    @property
    def is_demonstration(self) -> bool:
        """Whether nothing about data may be claimed: a model that a trigram matches may have learned words alone."""
        return bool(self.sets_behind_trigram)

    @property
    def may_claim(self) -> bool:
        """Whether a claim may be told as shown: who looks before all planned trainings are there may stop where it suits."""
        return not self.is_demonstration and not self.missing

    @property
    def is_ranking_claimed(self) -> bool:
        """Whether the order of the arms may be told as a result."""
        least = self.params.min_rank_correlation
        return self.may_claim and is_ranking_claimed(self.rank_correlation_halves, self.rank_correlation_rates, least)

    @property
    def smallest_detectable(self) -> float | None:
        """The difference that every claim of the family would be found at, if it were true; None if one cannot be tested."""
        found = [claim.detectable for claim in self.claims]
        return max((value for value in found if value is not None), default=None) if None not in found else None


def analyse(branches: BranchBits, params: BranchesParams) -> Analysis:
    """All comparisons. Raises SnowcoderError if the table has no branch, other branches than params plan, or not the endpoint's sets."""
    planned = plan_branches(params)
    _check(branches, params, planned)
    sets = [*params.endpoint, *sorted(branches[PARENT].keys() - set(params.endpoint))]
    rate = params.learning_rates[0]
    values = {branch: mean_bits_per_byte(found, params.endpoint) for branch, found in branches.items() if branch != PARENT}
    fit = _fit(values, rate)
    return Analysis(
        params=params,
        sets=sets,
        missing=[branch for branch in planned if branch not in branches],
        values=values,
        fit=fit,
        less_trigram=_fit({branch: mean_bits_per_byte(branches[branch], params.endpoint, "trigram") for branch in values}, rate),
        less_bigram=_fit({branch: mean_bits_per_byte(branches[branch], params.endpoint, "bigram") for branch in values}, rate),
        by_rate={other: found for other in params.learning_rates[1:] if (found := fit_rate(values, other))},
        floors={PARENT_ARM: _floors(branches, [PARENT], sets)}
        | {arm: _floors(branches, _runs(branches, arm, rate), sets) for arm in fit.levels},
        against_trigram={name: _paired(texts := branches[PARENT][name], texts.bits, texts.trigram_bits) for name in sets},
        ranked=rank_arms(fit, values, params),
        claims=judge_claims(fit, params),
        own_draws=[paired_draws(values, better, worse, rate) for better, worse in params.claims],
        decompositions=decompose(fit, params),
        by_set=[one for name in sets for one in _set_differences(branches, name, params)],
        rank_correlation_halves=correlation_between_halves(values, rate),
        rank_correlation_rates=correlations_between_rates(values, params),
    )


def _check(branches: BranchBits, params: BranchesParams, planned: list[Branch]) -> None:
    unknown = [branch.name for branch in branches if branch not in planned and branch != PARENT]
    if unknown:
        raise SnowcoderError(f"{BRANCH_TABLE}: found {unknown[0]}, which train_branches of params.yaml does not plan; run `dvc repro`")
    absent = [name for name in params.endpoint if name not in branches[PARENT]]
    if absent:
        sets = ", ".join(branches[PARENT])
        raise SnowcoderError(f"params.yaml: train_branches.endpoint: found {absent[0]}; allowed: sets that were measured: {sets}")


def _fit(values: dict[Branch, float], rate: float) -> BlockFit:
    fit = fit_rate(values, rate)
    if fit is None:
        raise SnowcoderError(f"{BRANCH_TABLE}: no branch at the claims' learning rate {rate:g}; run `dvc repro train_branches`")
    return fit


def _runs(branches: BranchBits, arm: str, rate: float) -> list[Branch]:
    return sorted(branch for branch in branches if branch.arm == arm and branch.learning_rate == rate)


def _floors(branches: BranchBits, runs: list[Branch], sets: list[str]) -> dict[str, Floors]:
    def mean(name: str) -> Floors:
        found = [branches[run][name] for run in runs]
        rows = [[one.bits_per_byte(), one.bits_per_byte("bigram"), one.bits_per_byte("trigram")] for one in found]
        return Floors(*(float(value) for value in np.mean(rows, axis=0)))

    return {name: mean(name) for name in sets}


def _set_differences(branches: BranchBits, name: str, params: BranchesParams) -> list[SetDifference]:
    rate = params.learning_rates[0]
    fit = _fit({branch: sets[name].bits_per_byte() for branch, sets in branches.items() if branch != PARENT}, rate)
    found = []
    for arm in sorted(fit.levels, key=lambda one: (fit.levels[one], one)):
        control = control_of(arm, params)
        if control in fit.levels:
            difference = fit.difference(arm, str(control))
            texts = _over_texts(branches, name, _runs(branches, arm, rate), _runs(branches, str(control), rate), difference.value)
            n_clusters = count_clusters(branches[PARENT][name].clusters)
            found.append(SetDifference(name, arm, fit.levels[arm], str(control), difference, texts, n_clusters))
    return found


def _over_texts(branches: BranchBits, name: str, runs: list[Branch], others: list[Branch], centre: float) -> tuple[float, float] | None:
    """Interval of the difference over texts; None without a draw that both arms have, or with a single cluster.

    Its width is from the draws that both arms have, whose own difference is another one than that of all draws: it is moved to `centre`.
    """
    shared = {run.draw for run in runs} & {run.draw for run in others}
    if not shared:
        return None
    first, second = (_mean_bits([branches[run][name] for run in side if run.draw in shared]) for side in (runs, others))
    difference, interval = _paired(branches[PARENT][name], first, second)
    return None if interval is None else (interval[0] - difference + centre, interval[1] - difference + centre)


def _paired(texts: SetBits, first: np.ndarray, second: np.ndarray) -> tuple[float, tuple[float, float] | None]:
    """first - second in bits per byte, and its interval over texts; an empty text has no bytes to divide by."""
    filled = texts.n_bytes > 0
    clusters = [cluster for cluster, is_filled in zip(texts.clusters, filled, strict=True) if is_filled]
    return compare_ratios(first[filled], second[filled], texts.n_bytes[filled], clusters, SEED)


def _mean_bits(runs: list[SetBits]) -> np.ndarray:
    return np.mean([run.bits for run in runs], axis=0)

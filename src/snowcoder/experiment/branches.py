"""Plans the branches: which arm, draw and learning rate, in which order, and with which phase each is trained.

in: BranchesParams   out: Branch, PhaseParams

Draws are the blocks of the comparison, so that one is finished before the next begins: an interrupted experiment has whole blocks. Within a
draw the learning rates of an arm come together, as they train on the same tokens.
"""

from typing import NamedTuple

from snowcoder.experiment.branch_params import PARENT_ARM, BranchesParams
from snowcoder.pretraining.schedule import ScheduleParams
from snowcoder.pretraining.training_params import PhaseParams
from snowcoder.seeding import derive_seed


class Branch(NamedTuple):
    """One training: an arm's choice of one draw (from 1), at one peak learning rate."""

    arm: str
    draw: int
    learning_rate: float

    @property
    def name(self) -> str:
        """As people read it."""
        return f"{self.arm}, draw {self.draw}, rate {self.learning_rate:g}"


PARENT = Branch(PARENT_ARM, 0, 0.0)


def plan_branches(params: BranchesParams) -> list[Branch]:
    """All branches, in the order in which they are trained."""
    last_draw = max(params.draws_of(arm, further_rate=False) for arm in params.arms)
    return [
        Branch(arm, draw, rate)
        for draw in range(1, last_draw + 1)
        for arm in params.arms
        for number, rate in enumerate(params.learning_rates)
        if draw <= params.draws_of(arm, further_rate=number > 0)
    ]


def phase_of(branch: Branch, params: BranchesParams) -> PhaseParams:
    """What training needs to know. The order of sequences depends on the draw alone: it is no difference between arms of a draw."""
    schedule = ScheduleParams(
        kind=params.schedule.kind,
        peak_learning_rate=branch.learning_rate,
        final_learning_rate=branch.learning_rate * params.schedule.final_fraction,
        warmup_steps=params.schedule.warmup_steps,
    )
    seed = derive_seed(params.seed, "train_branches", branch.draw)
    return PhaseParams(tokens=params.tokens, batch_tokens=params.batch_tokens, seed=seed, schedule=schedule)

"""Parameters of the comparison of data: arms, draws and learning rates, its endpoint and its claims. Reading them does not import torch.

Everything that decides what a result means (endpoint, claims) is a parameter, so that it is fixed before the first branch is trained. It is
read by the pages, and left out of the training's identity.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from snowcoder.pipeline.params import ParamsModel
from snowcoder.selection.arms import ArmParams

PARENT_ARM = "alpha"  # the parent itself, as a row of the table of results
ArmName = Annotated[str, Field(pattern=r"^\w[\w-]*$")]
Claim = Annotated[list[str], Field(min_length=2, max_length=2)]


class BranchScheduleParams(ParamsModel):
    """Learning rate over a branch; its peak is one of learning_rates."""

    kind: Literal["cosine", "linear", "constant"]
    """Shape after the warm-up (paper: linear for continued pretraining)."""
    final_fraction: float = Field(ge=0, le=1)
    """Learning rate of the last step, as a share of the peak; ignored by constant."""
    warmup_steps: int = Field(ge=0)
    """Optimizer steps of the linear warm-up from 0."""


class BranchesParams(ParamsModel):
    """Section train_branches."""

    parent: str = Field(min_length=1)
    """Folder of the model that every branch starts from: models/pretrain/<variant>."""
    tokens: int = Field(gt=0)
    """Tokens that a branch trains on, repeats included, in whole batches."""
    batch_tokens: int = Field(gt=0)
    """Tokens in one optimizer step."""
    pool_fraction: float = Field(gt=0, le=1)
    """Share of the pool that a draw chooses from, the same part for all arms of the draw; less makes draws more independent."""
    seed: int = Field(ge=0)
    """Seed of the draws: the part of the pool, the random arms, the order of sequences."""
    draws: int = Field(ge=1)
    """Draws of an arm that does not name its own number."""
    schedule: BranchScheduleParams
    """Learning rate over a branch."""
    learning_rates: list[Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=1)
    """Peaks: the first is that of the claims, the others test whether the ranking depends on it (arXiv 2512.24503)."""
    sensitivity_draws: int = Field(ge=0)
    """Draws at each further learning rate."""
    arms: dict[ArmName, ArmParams] = Field(min_length=1)
    """The ways of choosing data that are compared, by name, in the order of the tables."""
    endpoint: list[str] = Field(min_length=1, exclude=True)
    """Sets of texts whose mean bits per byte the claims are about."""
    claims: list[Claim] = Field(exclude=True)
    """Pairs [better arm, worse arm]; all that is tested, and corrected for together."""
    min_rank_correlation: float = Field(ge=0, le=1, exclude=True)
    """Rank correlation between halves of the draws, and between learning rates, below which no ranking is claimed."""

    @model_validator(mode="after")
    def _agrees(self) -> "BranchesParams":
        for fault in (*self._step_faults(), *self._draw_faults(), *self._arm_faults(), *self._claim_faults()):
            raise ValueError(fault)
        return self

    def draws_of(self, arm: str, further_rate: bool) -> int:
        """Draws of an arm, at the claims' learning rate or at a further one."""
        draws = self.arms[arm].draws or self.draws
        return min(draws, self.sensitivity_draws) if further_rate else draws

    def _step_faults(self) -> Iterator[str]:
        steps, rest = divmod(self.tokens, self.batch_tokens)
        if rest or not steps:
            nearest = max(1, round(self.tokens / self.batch_tokens)) * self.batch_tokens
            yield f"tokens: found {self.tokens}; allowed: a multiple of batch_tokens {self.batch_tokens}; the nearest is {nearest}"
        elif self.schedule.warmup_steps > steps:
            yield f"schedule.warmup_steps: found {self.schedule.warmup_steps}; allowed: at most the {steps} steps of a branch"

    def _draw_faults(self) -> Iterator[str]:
        if self.sensitivity_draws > self.draws:
            yield f"sensitivity_draws: found {self.sensitivity_draws}; allowed: at most draws {self.draws}"
        if len(set(self.learning_rates)) < len(self.learning_rates):
            yield f"learning_rates: found {self.learning_rates}; allowed: each once"
        if len(set(self.endpoint)) < len(self.endpoint):
            yield f"endpoint: found {self.endpoint}; allowed: each set once"

    def _arm_faults(self) -> Iterator[str]:
        if PARENT_ARM in self.arms:
            yield f"arms: found an arm {PARENT_ARM}, which is the name of the parent in the results; allowed: any other name"
        for name, arm in self.arms.items():
            if self.tokens < arm.repeats:
                yield f"arms.{name}.repeats: found {arm.repeats}; allowed: at most tokens {self.tokens}"
            if not self._is_plain_random(name) and not self._random_arms(arm.repeats) and arm.repeats > 1:
                yield f"arms: {name} repeats its tokens {arm.repeats} times and has no control that does; {_control(arm.repeats)}"

    def _claim_faults(self) -> Iterator[str]:
        for number, pair in enumerate(self.claims):
            unknown = [name for name in pair if name not in self.arms]
            if unknown:
                yield f"claims.{number}: found {unknown[0]!r}; allowed: {', '.join(self.arms)}"
                continue
            better, worse = pair
            if better == worse:
                yield f"claims.{number}: found {better} twice; allowed: two arms"
            earlier = [other for other, one in enumerate(self.claims[:number]) if set(one) == set(pair)]
            if earlier:
                yield f"claims.{number}: found the arms of claims.{earlier[0]} again, {better} and {worse}; allowed: each two arms once"
            repeats = [self.arms[name].repeats for name in pair]
            if repeats[0] != repeats[1]:
                same = self._random_arms(repeats[0])
                advice = f"compare {better} with {same[0]}" if same else _control(repeats[0])
                yield (
                    f"claims.{number}: found {better} of {repeats[0]} repeats and {worse} of {repeats[1]}, which see different numbers of "
                    f"unique tokens; allowed: arms of equal repeats; {advice}"
                )

    def _is_plain_random(self, name: str) -> bool:
        return self.arms[name].by == "random" and self.arms[name].matched_to is None

    def _random_arms(self, repeats: int) -> list[str]:
        return [name for name, arm in self.arms.items() if self._is_plain_random(name) and arm.repeats == repeats]


def _control(repeats: int) -> str:
    return f"add an arm such as random_{repeats}: {{by: random, repeats: {repeats}}}"

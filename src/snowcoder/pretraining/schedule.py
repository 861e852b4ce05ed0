"""Learning-rate schedules of the recipe as pure functions of the step.

general:   linear warm-up, then cosine from peak to final (paper 2.2: 600 steps, 5.3e-4 -> 5.3e-5).
continued: re-warm-up from 0, then linear to 0 (paper 2.4, Table 5: 1,000 steps, 0 -> 5.3e-4 -> 0). `constant` and a linear decay without
           warm-up are the other rows of Table 5.
"""

import math
from typing import Literal

from pydantic import Field, model_validator

from snowcoder.pipeline.params import ParamsModel


class ScheduleParams(ParamsModel):
    """Learning rate over one phase."""

    kind: Literal["cosine", "linear", "constant"]
    """Shape after the warm-up (paper: cosine for general, linear for continued pretraining)."""
    peak_learning_rate: float = Field(gt=0)
    """Learning rate that the warm-up reaches (paper: 5.3e-4)."""
    final_learning_rate: float = Field(ge=0)
    """Learning rate of the last step (cosine, linear); ignored by constant."""
    warmup_steps: int = Field(ge=0)
    """Optimizer steps of the linear warm-up from 0."""

    @model_validator(mode="after")
    def _final_below_peak(self) -> "ScheduleParams":
        if self.final_learning_rate > self.peak_learning_rate:
            raise ValueError(
                f"final_learning_rate: found {self.final_learning_rate}; allowed: at most peak_learning_rate {self.peak_learning_rate}"
            )
        return self


def learning_rate(step: int, n_steps: int, schedule: ScheduleParams) -> float:
    """Learning rate of optimizer step `step` (0-based) of `n_steps`.

    The warm-up rises by peak/warmup_steps a step and gives the peak at step warmup_steps - 1; the decay then spans the remaining steps and
    gives final_learning_rate at step n_steps - 1.
    """
    warmup = min(schedule.warmup_steps, n_steps)
    if step < warmup:
        return schedule.peak_learning_rate * (step + 1) / warmup
    if schedule.kind == "constant":
        return schedule.peak_learning_rate
    progress = (step - warmup + 1) / (n_steps - warmup)
    remaining = 0.5 * (1 + math.cos(math.pi * progress)) if schedule.kind == "cosine" else 1 - progress
    return schedule.final_learning_rate + (schedule.peak_learning_rate - schedule.final_learning_rate) * remaining

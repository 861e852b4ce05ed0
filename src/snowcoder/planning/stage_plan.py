"""The predicted cost of one stage, as every planner of this package returns it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StagePlan:
    """stage: `pretrain@general`, or `generate_completions x 5` for all items of one.

    tokens: read and written by a model (0 where none is asked). flops: of models. hours: wall time. disk_bytes: of the outputs and, while
    it runs, its checkpoints. n_devices: that are busy meanwhile, and so have a price. basis: what the hours rest on.
    """

    stage: str
    tokens: float
    flops: float
    hours: float
    disk_bytes: float
    n_devices: int
    basis: str


@dataclass(frozen=True)
class NotPlanned:
    """A stage whose cost cannot be predicted, and why."""

    stage: str
    reason: str

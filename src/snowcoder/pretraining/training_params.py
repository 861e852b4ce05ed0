"""Parameters of pretraining: what all variants share, and a variant's phase. Light: whoever only reads parameters loads no torch."""

from typing import Any, Literal

from pydantic import Field, model_validator

from snowcoder.pipeline.params import ParamsModel
from snowcoder.pretraining.schedule import ScheduleParams


class TrainingParams(ParamsModel):
    """What all variants share.

    cpu_threads: torch threads on CPU (part of the arithmetic, hence a param); bf16: autocast; compile: torch.compile layer by layer.
    attention: transformers' implementation; sdpa is FlashAttention on GPU, eager is faster for short sequences on CPU (bench/RESULTS.md).
    micro_batch_sequences: sequences per forward pass; a batch is summed over micro-batches.
    weight_decay, adam_beta1, adam_beta2, max_gradient_norm: AdamW's; the paper names Adam only (weight_decay 0.0 is Adam).
    """

    cpu_threads: int = Field(gt=0)
    bf16: bool
    compile: bool
    attention: Literal["eager", "sdpa"]
    micro_batch_sequences: int = Field(gt=0)
    weight_decay: float = Field(ge=0)
    adam_beta1: float = Field(ge=0, lt=1)
    adam_beta2: float = Field(ge=0, lt=1)
    max_gradient_norm: float = Field(gt=0)


class PhaseParams(ParamsModel):
    """One variant's phase.

    tokens: horizon, counting repeats, in whole batches; batch_tokens: per optimizer step; seed: of the order of sequences; schedule:
    learning rate.
    """

    tokens: int = Field(gt=0)
    batch_tokens: int = Field(gt=0)
    seed: int = Field(ge=0)
    schedule: ScheduleParams

    @model_validator(mode="after")
    def _whole_steps(self) -> "PhaseParams":
        steps, rest = divmod(self.tokens, self.batch_tokens)
        if rest or not steps:
            nearest = max(1, round(self.tokens / self.batch_tokens)) * self.batch_tokens
            raise ValueError(
                f"tokens: found {self.tokens}; allowed: a multiple of batch_tokens {self.batch_tokens}; the nearest is {nearest}"
            )
        if self.schedule.warmup_steps > steps:
            raise ValueError(f"schedule.warmup_steps: found {self.schedule.warmup_steps}; allowed: at most the {steps} steps of the phase")
        return self


class VariantParams(PhaseParams):
    """One of pretrain.variants: a phase, and the model folder it starts from.

    Other stages read the rest, which is no part of a training's identity. packs: what its tokens are (pack_tokens). control_of: the
    variant whose control it is, of the same start, budget and schedule (report).
    """

    parent: str = Field(min_length=1)
    packs: Any = Field(exclude=True)
    control_of: str | None = Field(default=None, exclude=True)

"""Parameters of pretraining: shared by all variants, and of one variant's phase. Reading them does not import torch."""

from typing import Any, Literal

from pydantic import Field, model_validator

from snowcoder.pipeline.params import ParamsModel
from snowcoder.pretraining.schedule import ScheduleParams


class TrainingParams(ParamsModel):
    """What all variants share."""

    cpu_threads: int = Field(gt=0)
    """Threads of torch on the CPU: they are part of the arithmetic."""
    bf16: bool
    """Whether forward and backward passes are in bfloat16 (autocast)."""
    compile: bool
    """Whether layers are compiled by torch.compile."""
    attention: Literal["eager", "sdpa"]
    """Implementation of attention; sdpa: FlashAttention on a GPU; eager: faster for short sequences on the CPU."""
    micro_batch_sequences: int = Field(gt=0)
    """Sequences in one forward pass; a batch is summed over micro-batches. More needs more memory."""
    weight_decay: float = Field(ge=0)
    """AdamW's weight decay of matrices; 0.0 gives Adam, which the paper names."""
    adam_beta1: float = Field(ge=0, lt=1)
    """Decay of AdamW's mean of gradients."""
    adam_beta2: float = Field(ge=0, lt=1)
    """Decay of AdamW's mean of squared gradients."""
    max_gradient_norm: float = Field(gt=0)
    """Norm to which a longer gradient is scaled down."""


class PhaseParams(ParamsModel):
    """One variant's phase."""

    tokens: int = Field(gt=0)
    """Tokens to train on, repeats included, in whole batches (paper: 500 B general, 50 B continued, 5 B enhanced)."""
    batch_tokens: int = Field(gt=0)
    """Tokens in one optimizer step (paper: 512 sequences of 8,192)."""
    seed: int = Field(ge=0)
    """Seed of the order of sequences."""
    schedule: ScheduleParams
    """Learning rate."""

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
    """One of pretrain.variants: a phase, and the model folder it starts from."""

    parent: str = Field(min_length=1)
    """Folder of the model that the phase starts from."""
    packs: Any = Field(exclude=True)
    """Its tokens; read by pack_tokens, and not part of the training's identity."""
    control_of: str | None = Field(default=None, exclude=True)
    """The variant whose control it is: same start, budget and schedule; null: none. Read by the report."""

"""Parameters of a tuned encoder: how one recipe's examples change its weights (see tuning)."""

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel


class TuningParams(ParamsModel):
    """How a tuned encoder is trained; unused with `encoder: frozen`. The committed values are those of BERT (Devlin et al. 2019)."""

    epochs: int = Field(ge=1)
    """Passes over the training examples, at most."""
    patience_epochs: int | None = Field(ge=1)
    """Epochs without a lower validation loss before tuning stops and keeps the best one; null: run all, keep the last."""
    validation_fraction: float = Field(gt=0, lt=1)
    """Share of the training files, in whole repositories, that chooses the epoch and calibrates a classification."""
    batch_files: int = Field(ge=1)
    """Files in one optimiser step, each with all its sections."""
    batch_tokens: int = Field(ge=1)
    """Padded tokens in one forward and backward pass, at most; more needs more memory; a step sees the same files."""
    learning_rate: float = Field(gt=0)
    """Peak of AdamW's learning rate, reached linearly, then linear to 0."""
    warmup_fraction: float = Field(ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(ge=0)
    """AdamW's weight decay of matrices, per unit of the learning rate; other weights have none."""
    max_gradient_norm: float = Field(gt=0)
    """Norm to which a longer gradient is scaled down."""

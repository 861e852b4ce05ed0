"""Parameters of a tuned encoder: how one recipe's examples change its weights (see tuning)."""

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel


class TuningParams(ParamsModel):
    """Optimiser and stopping; unused while `encoder` next to it is `frozen`. Defaults of params.yaml as Devlin et al. 2019 tune BERT."""

    epochs: int = Field(description="passes over the training examples, at most", ge=1)
    patience_epochs: int | None = Field(
        description="stop after so many epochs without a lower validation loss, and keep the best one; null: all epochs, the last one kept",
        ge=1,
    )
    validation_fraction: float = Field(
        description="share of the training files, in whole repositories, that chooses the epoch and calibrates a classification", gt=0, lt=1
    )
    batch_files: int = Field(description="files of one optimiser step, with all their sections", ge=1)
    batch_tokens: int = Field(description="padded tokens in one forward and backward pass, at most; no choice of the optimiser's", ge=1)
    learning_rate: float = Field(description="peak of AdamW's rate: reached linearly, then linear to 0", gt=0)
    warmup_fraction: float = Field(description="share of the steps that the rate rises", ge=0, lt=1)
    weight_decay: float = Field(description="of matrices, per unit of the rate", ge=0)
    max_gradient_norm: float = Field(description="longer gradients are scaled down to it", gt=0)

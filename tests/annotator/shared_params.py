"""Valid shared parameters of train_annotator for tests, any of which can be changed by name."""

from typing import Any

from snowcoder.annotator.examples import AnnotatorParams

TUNING: dict[str, Any] = {
    "epochs": 6, "patience_epochs": None, "validation_fraction": 0.2, "batch_files": 8, "batch_tokens": 128, "learning_rate": 3e-3,
    "warmup_fraction": 0.1, "weight_decay": 0.01, "max_gradient_norm": 1.0,
}  # fmt: skip
SHARED: dict[str, Any] = {"encoder": "frozen", "seed": 1, "folds": 4, "negatives_per_positive": 1.0, "l2": 0.3}


def shared_params(tuning: dict[str, Any] | None = None, **changes: Any) -> AnnotatorParams:
    """SHARED and TUNING with changes."""
    return AnnotatorParams.model_validate(SHARED | {"tuning": TUNING | (tuning or {})} | changes)

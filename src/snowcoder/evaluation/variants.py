"""Where the model of a variant is."""

from pathlib import Path

INITIAL = "initial"  # the weights before any training


def model_folder(variant: str) -> Path:
    """models/pretrain/<variant>, or the untrained weights for `initial`."""
    return Path("models/initialize_model") if variant == INITIAL else Path("models/pretrain") / variant

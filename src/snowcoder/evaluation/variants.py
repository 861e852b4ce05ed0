"""Where the model of a variant is."""

from pathlib import Path

from snowcoder.words import INITIAL


def model_folder(variant: str) -> Path:
    """models/pretrain/<variant>, or the untrained weights for `initial`."""
    return Path("models/initialize_model") if variant == INITIAL else Path("models/pretrain") / variant

"""Finds and loads the variants, the models that the pipeline has trained."""

from pathlib import Path

from snowcoder.inference.local.model_folder import LoadedModel, Precision, load_weights
from snowcoder.tokenization.tokenizer import load_tokenizer
from snowcoder.words import EOS_ID, INITIAL


def variant_folder(variant: str) -> Path:
    """models/pretrain/<variant>, or the untrained weights for `initial`."""
    return Path("models/initialize_model") if variant == INITIAL else Path("models/pretrain") / variant


def load_variant(folder: Path, precision: Precision, cpu_threads: int) -> LoadedModel:
    """A model whose documents begin and end with EOS_ID, and whose tokenizer reads the name of that token in a text as plain text.

    Raises CheckpointError, ShardError.
    """
    return LoadedModel(folder, load_tokenizer(folder), [EOS_ID], [EOS_ID], None, load_weights(folder, precision, cpu_threads))

"""A tuned annotator on disk: head.json, and a Hugging Face folder with the encoder's weights and its settings.

models/train_annotator/<recipe>/
  head.json       as of a frozen encoder, for the vectors of this one (see head)
  encoder/        config.json, model.safetensors, tokenizer files: loads with AutoModel and AutoTokenizer
  embedding.json  EmbedParams as they held when it was tuned; encoder.name is `encoder`, encoder.weights_sha256 that of the tuned weights
A frozen annotator has neither `encoder` nor `embedding.json`: its vectors are those of data/embed_files.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from snowcoder.embedding.encoder_source import WEIGHTS, EmbedParams, check_encoder_weights, find_encoder
from snowcoder.errors import CheckpointError
from snowcoder.pipeline.params import validate
from snowcoder.storage.files import sha256_file, write_json

ENCODER_FOLDER = "encoder"
EMBEDDING_FILE = "embedding.json"
ENCODER_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


@dataclass(frozen=True)
class RunnableEncoder:
    """params: how sections are cut and run. folder: of the encoder, its weights checked."""

    params: EmbedParams
    folder: Path


def is_tuned(model: Path) -> bool:
    """Whether the annotator in `model` has its own encoder."""
    return (model / EMBEDDING_FILE).exists()


def encoder_of(model: Path, frozen: EmbedParams) -> RunnableEncoder:
    """The encoder that the head in `model` was fitted on: its own, or the frozen one of `frozen`."""
    return read_tuned(model) if is_tuned(model) else RunnableEncoder(frozen, find_encoder(frozen.encoder))


def read_tuned(model: Path) -> RunnableEncoder:
    """The tuned encoder of `model`. Raises CheckpointError if its description cannot be read, SourceError if it has other weights."""
    path, folder = model / EMBEDDING_FILE, model / ENCODER_FOLDER
    advice = f"run `dvc checkout {model}`, or `dvc repro -f train_annotator@{model.name}`"
    try:
        params = validate(json.loads(path.read_text()), EmbedParams, "embedding", path)
    except (OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path}: cannot be read as the parameters of an encoder ({error}); {advice}") from error
    check_encoder_weights(folder, params.encoder.weights_sha256, str(path), f"{path}: encoder.weights_sha256", advice)
    return RunnableEncoder(params, folder)


def describe_tuned(model: Path, params: EmbedParams, tokenizer_folder: Path) -> None:
    """Complete a folder that holds `encoder/` with its weights: first the tokenizer, then embedding.json."""
    folder = model / ENCODER_FOLDER
    for name in ENCODER_TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copy(tokenizer_folder / name, folder / name)
    own = {"source": "folder", "name": ENCODER_FOLDER, "revision": "", "weights_sha256": sha256_file(folder / WEIGHTS)}
    encoder = params.encoder.model_copy(update=own)
    write_json(model / EMBEDDING_FILE, params.model_copy(update={"encoder": encoder}).model_dump(mode="json"))

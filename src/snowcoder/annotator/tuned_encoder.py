"""A tuned annotator on disk: head.json, and a Hugging Face folder with the encoder's weights and its settings.

models/train_annotator/<recipe>/fold_<number>/
  head.json       as of a frozen encoder, for the vectors of this one (see head)
  encoder/        config.json, model.safetensors, tokenizer files: loads with AutoModel and AutoTokenizer
  embedding.json  EmbedParams as they held when it was tuned; encoder.name is `encoder`, encoder.weights_sha256 that of the tuned weights
Each fold has its own, as an encoder that was tuned on a file's repository would know the file. A frozen annotator has neither `encoder`
nor `embedding.json`: its vectors are those of data/embed_files.
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


def is_tuned(fold: Path) -> bool:
    """Whether the head in the folder of a fold has its own encoder."""
    return (fold / EMBEDDING_FILE).exists()


def encoder_of(fold: Path, frozen: EmbedParams) -> RunnableEncoder:
    """The encoder that the head in the folder of a fold was fitted on: its own, or the frozen one of `frozen`."""
    return read_tuned(fold) if is_tuned(fold) else RunnableEncoder(frozen, find_encoder(frozen.encoder))


def read_tuned(fold: Path) -> RunnableEncoder:
    """The tuned encoder of a fold. Raises CheckpointError if its description cannot be read, SourceError if it has other weights."""
    path, folder, model = fold / EMBEDDING_FILE, fold / ENCODER_FOLDER, fold.parent
    advice = f"run `dvc checkout {model}`, or `dvc repro -f train_annotator@{model.name}`"
    try:
        params = validate(json.loads(path.read_text()), EmbedParams, "embedding", path)
    except (OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path}: cannot be read as the parameters of an encoder ({error}); {advice}") from error
    check_encoder_weights(folder, params.encoder.weights_sha256, str(path), f"{path}: encoder.weights_sha256", advice)
    return RunnableEncoder(params, folder)


def describe_tuned(fold: Path, params: EmbedParams, tokenizer_folder: Path) -> None:
    """Complete a folder that holds `encoder/` with its weights: first the tokenizer, then embedding.json."""
    folder = fold / ENCODER_FOLDER
    for name in ENCODER_TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copy(tokenizer_folder / name, folder / name)
    own = {"source": "folder", "name": ENCODER_FOLDER, "revision": "", "weights_sha256": sha256_file(folder / WEIGHTS)}
    encoder = params.encoder.model_copy(update=own)
    write_json(fold / EMBEDDING_FILE, params.model_copy(update={"encoder": encoder}).model_dump(mode="json"))

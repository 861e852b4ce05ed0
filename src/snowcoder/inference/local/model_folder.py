"""Opens a model folder for inference: tokenizer, tokens around a text, chat template, and weights in one precision.

in: a Hugging Face folder, or an id on the hub   out: ModelFolder, and with its weights LoadedModel
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tokenizers import Tokenizer

from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.inference.local.border_tokens import completion_end_ids, open_tokenizer, text_start_ids
from snowcoder.inference.local.chat_template import ChatTemplate, read_chat_template
from snowcoder.inference.local.prompt_encoder import PromptEncoder
from snowcoder.pipeline.accelerator import device_type
from snowcoder.storage.workspace import find_path

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Precision = Literal["float32", "bfloat16"]
HUB_FILES = ["*.json", "*.jinja", "*.safetensors", "*.model", "*.txt"]


@dataclass(frozen=True)
class ModelFolder:
    """A model without its weights.

    start_ids: what comes before a text. end_ids: tokens that end a completion. template: None where the model has none.
    """

    folder: Path
    tokenizer: Tokenizer
    start_ids: list[int]
    end_ids: list[int]
    template: ChatTemplate | None

    @property
    def encoder(self) -> PromptEncoder:
        """Makes token ids of prompts."""
        return PromptEncoder(self.tokenizer, self.start_ids, self.template.render if self.template else None)

    @property
    def config(self) -> Any:
        """The configuration of transformers. Raises CheckpointError if it cannot be read."""
        from transformers import AutoConfig

        return _read(self.folder, lambda: AutoConfig.from_pretrained(self.folder, local_files_only=True))

    def window(self, window_tokens: int | None, field: str) -> int:
        """Tokens that the model may see at once: `window_tokens`, or its own limit where None. Raises ParameterError above that limit."""
        limit = int(self.config.max_position_embeddings)
        if window_tokens is not None and window_tokens > limit:
            allowed = f"allowed: up to {limit}, the model's max_position_embeddings"
            raise ParameterError(f"params.yaml: {field}: found {window_tokens}; {allowed}")
        return window_tokens or limit

    def load(self, precision: Precision, cpu_threads: int) -> "LoadedModel":
        """The model with its weights, as `load_weights`."""
        return LoadedModel(**vars(self), model=load_weights(self.folder, precision, cpu_threads))


@dataclass(frozen=True)
class LoadedModel(ModelFolder):
    """A model folder and its weights in memory."""

    model: "PreTrainedModel"

    @property
    def config(self) -> Any:
        """The configuration of the loaded weights."""
        return self.model.config

    @property
    def first_id(self) -> int:
        """The token that likelihoods of a text start from: what comes before a text, else what ends one."""
        return (self.start_ids or self.end_ids)[0]


def find_folder(model: str, revision: str | None = None) -> Path:
    """The folder of a model: `model` itself if it is one, else the hub's snapshot of that id at `revision`. Raises CheckpointError if
    there is neither.
    """
    if (folder := find_path(model)).is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=HUB_FILES))
    except (OSError, HFValidationError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{model}: neither a local folder nor a model that can be fetched from the hub ({reason})") from error


def open_folder(folder: Path, document_start: bool) -> ModelFolder:
    """The model with the tokens that its tokenizer puts at both ends of a text.

    document_start: put the tokenizer's bos before a text even if the tokenizer does not: our models were trained on documents that begin
    so. Raises CheckpointError for a tokenizer that cannot be used, ParameterError if there is no bos to put.
    """
    tokenizer = open_tokenizer(folder)
    template = read_chat_template(tokenizer, folder)
    start_ids = text_start_ids(tokenizer, document_start, folder)
    return ModelFolder(folder, tokenizer.backend_tokenizer, start_ids, completion_end_ids(tokenizer, folder, template), template)


def load_weights(folder: Path, precision: Precision, cpu_threads: int) -> "PreTrainedModel":
    """The causal language model in `folder`, on the accelerator if there is one; sets the number of threads of this process.

    Raises CheckpointError if it cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(cpu_threads)
    dtype = getattr(torch, precision)
    model = _read(folder, lambda: AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True))
    return model.to(device_type()).eval()


def _read(folder: Path, read: Callable[[], Any]) -> Any:
    """What `read` takes from the folder. Raises CheckpointError."""
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder / 'config.json'}: not found; the stage that writes {folder} has not run: `dvc repro`")
    try:
        return read()
    except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{folder}: not a model that transformers can load ({error}); run `dvc checkout {folder}`") from error

"""Loads any causal language model for inference, ours or another's: folder of a checkpoint, or id on the Hugging Face hub.

in: folder or hub id   out: an engine, and the model and tokenizer for likelihoods
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from snowcoder.errors import CheckpointError
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.border_tokens import completion_end_ids, open_tokenizer, text_start_ids
from snowcoder.inference.local.chat_template import ChatTemplate, read_chat_template
from snowcoder.inference.local.model_folder import Precision, choose_window, load_model
from snowcoder.storage.workspace import find_path

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from snowcoder.inference.engines.vllm_engine import VllmEngine

HUB_FILES = ["*.json", "*.jinja", "*.safetensors", "*.model", "*.txt"]


@dataclass(frozen=True)
class LoadedModel:
    """start_ids: what comes before a text. end_ids: tokens that end a completion. template: None where the model has none."""

    folder: Path
    model: "PreTrainedModel"
    tokenizer: Tokenizer
    start_ids: list[int]
    end_ids: list[int]
    template: ChatTemplate | None

    def engine(self, batch_size: int, window_tokens: int | None, workers: int) -> TransformersEngine:
        """An engine over this model."""
        window = choose_window(self.model, window_tokens, "window_tokens")
        render = self.template.render if self.template else None
        return TransformersEngine(self.model, self.tokenizer, 0, batch_size, window, workers, self.start_ids, self.end_ids, render)


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
        raise CheckpointError(f"{model}: neither a folder here nor a model that can be fetched from the hub ({reason})") from error


def load_any_model(model: str, precision: Precision, cpu_threads: int, document_start: bool) -> LoadedModel:
    """The model with the tokens that its tokenizer puts at both ends of a text.

    document_start: put the tokenizer's bos before a text even if the tokenizer does not: our models were trained on documents that begin
    so. Raises CheckpointError if it cannot be loaded.
    """
    folder = find_folder(model)
    loaded = load_model(folder, precision, cpu_threads)
    tokenizer = open_tokenizer(folder)
    template = read_chat_template(tokenizer, folder)
    start_ids = text_start_ids(tokenizer, document_start, folder)
    return LoadedModel(folder, loaded, tokenizer.backend_tokenizer, start_ids, completion_end_ids(tokenizer, folder, template), template)


def load_any_vllm(model: str, precision: Precision, window_tokens: int | None, document_start: bool) -> "VllmEngine":
    """The model in vLLM, given the same ids as the engine of `load_any_model`. Raises EngineError without vLLM, CheckpointError."""
    from snowcoder.inference.engines.vllm_engine import load_vllm_engine

    folder = find_folder(model)
    return load_vllm_engine(folder, precision, window_tokens, text_start_ids(open_tokenizer(folder), document_start, folder))

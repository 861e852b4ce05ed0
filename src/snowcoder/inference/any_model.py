"""Loads any causal language model for inference, ours or another's: folder of a checkpoint, or id on the Hugging Face hub.

in: folder or hub id   out: an engine, and the model and tokenizer for likelihoods
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from snowcoder.errors import CheckpointError
from snowcoder.inference.model_folder import Precision, choose_window, load_model
from snowcoder.inference.prompt_encoder import chat_renderer
from snowcoder.inference.transformers_engine import TransformersEngine
from snowcoder.workspace import find_path

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from snowcoder.inference.vllm_engine import VllmEngine


@dataclass(frozen=True)
class LoadedModel:
    """start_ids: what comes before a text. end_ids: tokens that end a completion."""

    folder: Path
    model: "PreTrainedModel"
    tokenizer: Tokenizer
    start_ids: list[int]
    end_ids: list[int]

    def engine(self, batch_size: int, window_tokens: int | None, workers: int) -> TransformersEngine:
        """An engine over this model."""
        window = choose_window(self.model, window_tokens, "window_tokens")
        chat = chat_renderer(self.folder)
        return TransformersEngine(self.model, self.tokenizer, 0, batch_size, window, workers, self.start_ids, self.end_ids, chat)


def find_folder(model: str, revision: str | None = None) -> Path:
    """The folder of a model: `model` itself if it is one, else the hub's snapshot of that id at `revision`. Raises CheckpointError if
    there is neither.
    """
    if (folder := find_path(model)).is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt"]))
    except (OSError, HFValidationError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{model}: neither a folder here nor a model that can be fetched from the hub ({reason})") from error


def load_any_model(model: str, precision: Precision, cpu_threads: int, document_start: bool) -> LoadedModel:
    """The model with the tokens that its tokenizer puts at both ends of a text.

    document_start: put the tokenizer's bos before a text even if the tokenizer does not: our models were trained on documents that begin
    so. Raises CheckpointError if it cannot be loaded.
    """
    from transformers import AutoTokenizer

    folder = find_folder(model)
    loaded = load_model(folder, precision, cpu_threads)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        backend: Tokenizer = tokenizer.backend_tokenizer
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{folder}: its tokenizer is not one that the tokenizers library runs ({error})") from error
    ends = loaded.generation_config.eos_token_id if loaded.generation_config is not None else None
    end_ids = {tokenizer.eos_token_id} | set(ends if isinstance(ends, list) else [ends])
    start_ids = text_start_ids(tokenizer, document_start)
    return LoadedModel(folder, loaded, backend, start_ids, sorted(token for token in end_ids if token is not None))


def load_any_vllm(model: str, precision: Precision, window_tokens: int | None, document_start: bool) -> "VllmEngine":
    """The model in vLLM, given the same ids as the engine of `load_any_model`. Raises EngineError without vLLM, CheckpointError."""
    from transformers import AutoTokenizer

    from snowcoder.inference.vllm_engine import load_vllm_engine

    folder = find_folder(model)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return load_vllm_engine(folder, precision, window_tokens, text_start_ids(tokenizer, document_start))


def text_start_ids(tokenizer: Any, document_start: bool) -> list[int]:
    """What a tokenizer of transformers puts before a text; its bos where that is nothing and `document_start` is asked for."""
    start_ids = list(tokenizer("").input_ids)
    if start_ids and start_ids[-1] == tokenizer.eos_token_id and start_ids[-1] != tokenizer.bos_token_id:
        start_ids.pop()  # some end an empty text too
    return [tokenizer.bos_token_id] if document_start and not start_ids else start_ids

"""Loads a model folder for inference: weights in one precision, on the accelerator where there is one.

in: a Hugging Face folder   out: a model in evaluation mode
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.pipeline.accelerator import device_type

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Precision = Literal["float32", "bfloat16"]


def load_model(folder: Path, precision: Precision, cpu_threads: int) -> "PreTrainedModel":
    """The causal language model in `folder`; sets the number of threads of this process. Raises CheckpointError if it cannot be loaded."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(cpu_threads)
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder / 'config.json'}: not found; the stage that writes {folder} has not run: `dvc repro`")
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{folder}: not a model that transformers can load ({error}); run `dvc checkout {folder}`") from error
    return model.to(device_type()).eval()  # type: ignore[arg-type]  # a decorator of transformers hides `self`


def choose_window(model: "PreTrainedModel", window_tokens: int | None, field: str) -> int:
    """Tokens a model may see at once: `window_tokens`, or its own limit where None. Raises ParameterError if that is above its limit."""
    limit = int(model.config.max_position_embeddings)
    if window_tokens is not None and window_tokens > limit:
        raise ParameterError(f"params.yaml: {field}: found {window_tokens}; allowed: up to {limit}, the model's max_position_embeddings")
    return window_tokens or limit

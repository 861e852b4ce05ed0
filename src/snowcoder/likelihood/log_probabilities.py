"""Computes the bits that a model needs for the scored tokens of windows.

in: a causal language model, windows   out: float64 bits per window

Shapes: B windows in a batch, L longest of them, C charged tokens of the batch, H hidden size. Windows are padded on the right: under causal
attention no real token sees padding, so that no mask is needed.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from snowcoder.likelihood.text_tokens import Window

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_LOGITS = 2**23  # logits in memory at a time and worker: 32 MiB in float32, and as much again for their softmax


def window_bits(model: "PreTrainedModel", windows: Sequence[Window], batch_tokens: int, workers: int = 1) -> np.ndarray:
    """float64 [len(windows)]: sum over a window's charged tokens of -log2 p(token | tokens before it in the window).

    model: a decoder whose logits are its output embedding of the last hidden state (Llama, Qwen, Mistral …).
    batch_tokens: padded tokens of a batch at most (a window longer than that forms its own batch).
    workers: batches at a time, on CPU; the result does not depend on it. An accelerator takes one.
    """
    bits = np.zeros(len(windows))
    batches = list(batch_by_length([len(window.ids) for window in windows], batch_tokens))
    with ThreadPoolExecutor(workers if model.device.type == "cpu" else 1) as pool:
        found = pool.map(lambda batch: _batch_bits(model, [windows[index] for index in batch]), batches)
        for batch, batch_bits in zip(batches, found, strict=True):
            bits[batch] = batch_bits
    return bits


def batch_by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices in batches of similar length: sorted by (length, index), as many as stay within rows * longest <= batch_tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        if batch and (len(batch) + 1) * lengths[index] > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


@torch.inference_mode()
def _batch_bits(model: "PreTrainedModel", windows: Sequence[Window]) -> np.ndarray:
    longest = max(len(window.ids) for window in windows)
    tokens = torch.tensor([window.ids + [0] * (longest - len(window.ids)) for window in windows], device=model.device)
    # [B, L, H]
    hidden = model.base_model(input_ids=tokens, use_cache=False).last_hidden_state
    # the hidden state at a position predicts the id after it
    rows = np.repeat(np.arange(len(windows)), [len(window.ids) - window.first for window in windows])
    columns = np.concatenate([np.arange(window.first, len(window.ids)) for window in windows])
    row, column = torch.from_numpy(rows).to(model.device), torch.from_numpy(columns).to(model.device)
    nats = _token_nats(model, hidden[row, column - 1], tokens[row, column])
    return np.bincount(rows, weights=nats, minlength=len(windows)) / math.log(2)


def _token_nats(model: "PreTrainedModel", states: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    """float64 [C]; states: [C, H] hidden states, targets: int64 [C] the ids they predict."""
    output_embedding = model.get_output_embeddings()
    size = max(1, MAX_LOGITS // model.config.vocab_size)
    chunks = [
        functional.cross_entropy(output_embedding(part).float(), ids, reduction="none")
        for part, ids in zip(states.split(size), targets.split(size), strict=True)
    ]
    return torch.cat(chunks).double().cpu().numpy()

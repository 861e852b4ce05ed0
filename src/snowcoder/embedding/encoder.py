"""Encodes sections: token ids in, one L2-normalised vector per section out.

Only this module of the annotator and `tuning` import torch. Suffixes name shapes: b sections of a batch, t tokens (padded), d dimensions.

Same bytes for the same processor and build: the number of threads is a parameter, torch is in its deterministic mode, and the batches
are formed by a fixed rule from the sections themselves (see batches_by_length).
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from transformers import AutoModel, PreTrainedModel
from transformers.utils import logging as transformers_logging

from snowcoder.pipeline.accelerator import device_type
from snowcoder.pipeline.allocator import keep_freed_memory
from snowcoder.pipeline.console import progress

PAD_ID = 0  # masked, so that its value cannot matter


class Encoder:
    """An encoder of the BERT family loaded from a folder, without network; dropout is off, also where `tuning` trains it.

    pooling: mean over the tokens of a section ([CLS] and [SEP] included, as sentence-transformers does for all-MiniLM-L6-v2), or [CLS].
    bf16: autocast of the matrix products; pooling and normalisation are fp32 either way.
    device: see snowcoder.pipeline.accelerator.device_type.
    """

    def __init__(self, folder: Path, pooling: str, bf16: bool, cpu_threads: int, device: Literal["auto", "cpu", "cuda"]) -> None:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic mode asks for it
        torch.set_num_threads(cpu_threads)
        torch.use_deterministic_algorithms(True)
        # it only reveals reads of uninitialised memory, for 3% of a training step
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        keep_freed_memory()
        transformers_logging.disable_progress_bar()
        self._device = torch.device(device_type(device))
        self._model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval().to(self._device)
        self._pooling = pooling
        self._bf16 = bf16
        self.dimensions = int(self._model.config.hidden_size)

    def embed(self, sections: Sequence[list[int]], batch_tokens: int, label: str) -> np.ndarray:
        """float32 [len(sections), d], rows of length 1, in the order of `sections`. batch_tokens: padded tokens in a batch, at most."""
        embeddings = np.empty((len(sections), self.dimensions), dtype=np.float32)
        batches = batches_by_length([len(ids) for ids in sections], batch_tokens)
        for batch in progress(batches, len(batches), label):
            embeddings[batch] = self._embed_batch([sections[index] for index in batch])
        return embeddings

    @property
    def model(self) -> PreTrainedModel:
        """The network itself, to be trained or saved."""
        return self._model

    @torch.inference_mode()
    def _embed_batch(self, sections: Sequence[list[int]]) -> np.ndarray:
        return self.vectors(sections).cpu().numpy()

    def vectors(self, sections: Sequence[list[int]]) -> torch.Tensor:
        """float32 [b, d], rows of length 1, of one padded batch; differentiable outside of inference mode."""
        n_tokens = max(len(ids) for ids in sections)
        ids_bt = torch.tensor([ids + [PAD_ID] * (n_tokens - len(ids)) for ids in sections], device=self._device)
        lengths_b1 = torch.tensor([[len(ids)] for ids in sections], device=self._device)
        mask_bt = (torch.arange(n_tokens, device=self._device) < lengths_b1).long()
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16):
            hidden_btd = self._model(input_ids=ids_bt, attention_mask=mask_bt).last_hidden_state
        pooled_bd = self._pool(hidden_btd.float(), mask_bt)
        return torch.nn.functional.normalize(pooled_bd, dim=-1)

    def _pool(self, hidden_btd: torch.Tensor, mask_bt: torch.Tensor) -> torch.Tensor:
        if self._pooling == "cls":
            return hidden_btd[:, 0]
        weights_bt1 = mask_bt.unsqueeze(-1).float()
        return (hidden_btd * weights_bt1).sum(dim=1) / weights_bt1.sum(dim=1)


def batches_by_length(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Positions grouped into batches: sorted by length, then position; padded to at most `batch_tokens` (one section at least)."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        # the order is ascending, so the newest member is the longest
        if batches and (len(batches[-1]) + 1) * lengths[position] <= batch_tokens:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches

"""Bits per byte of texts given prompts: does not depend on the tokenizer, and still moves where pass@1 is 0.

in: a model, its tokenizer, pairs (prompt, text)   out: TextScores, one entry per pair

A loss per token falls when a vocabulary cuts text into more, easier tokens; bits per byte of the same text do not. See text_tokens.py for
which tokens are charged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from snowcoder.likelihood.log_probabilities import window_bits
from snowcoder.likelihood.text_tokens import DOCUMENT_START_ID, EncodedText, Window, encode_pairs, split_windows

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class TextScores:
    """bits: float64 [n]. n_bytes: int64 [n], UTF-8 bytes of each text."""

    bits: np.ndarray
    n_bytes: np.ndarray

    @property
    def bits_per_byte(self) -> float:
        """Of all texts together: sum of bits / sum of bytes."""
        return float(self.bits.sum() / self.n_bytes.sum())


def score_texts(
    model: "PreTrainedModel",
    tokenizer: Tokenizer,
    pairs: Sequence[tuple[str, str]],
    batch_tokens: int,
    window_tokens: int | None = None,
    workers: int = 1,
    start_id: int = DOCUMENT_START_ID,
) -> TextScores:
    """Bits and bytes of each text given its prompt.

    batch_tokens: padded tokens of one forward pass, at most. window_tokens: None for the model's own limit. workers: passes at a time.
    """
    encoded = encode_pairs(tokenizer, pairs, start_id)
    return score_encoded(model, encoded, batch_tokens, window_tokens or int(model.config.max_position_embeddings), workers)


def score_encoded(
    model: "PreTrainedModel", texts: Sequence[EncodedText], batch_tokens: int, window_tokens: int, workers: int = 1
) -> TextScores:
    """As score_texts, for texts that are tokenised already."""
    windows: list[Window] = []
    owners: list[int] = []
    for index, text in enumerate(texts):
        parts = split_windows(text, window_tokens)
        windows += parts
        owners += [index] * len(parts)
    bits = np.bincount(np.array(owners, dtype=np.int64), weights=window_bits(model, windows, batch_tokens, workers), minlength=len(texts))
    return TextScores(bits, np.array([text.n_bytes for text in texts], dtype=np.int64))

"""Measures the branches on the sets of texts of measure_bits_per_byte, and by the n-grams of their tokens.

in: weights; counted n-grams   out: rows of BRANCH_SCHEMA

Bits are those that measure_bits_per_byte would find for the same weights: a model of its precision, in its batches and windows. The texts
are encoded once for all branches.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.text_sets import ScoredText
from snowcoder.experiment.branch_rows import BRANCH_SCHEMA
from snowcoder.experiment.branches import Branch
from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.likelihood.bits_per_byte import score_encoded
from snowcoder.likelihood.kneser_ney import KneserNey
from snowcoder.likelihood.ngram_counts import NgramCounts, count_ngrams
from snowcoder.likelihood.text_tokens import EncodedText, encode_pairs
from snowcoder.pretraining.trained_sequences import trained_sequences
from snowcoder.pretraining.training_params import PhaseParams
from snowcoder.tokenization.token_shards import TokenShards

BIGRAM, TRIGRAM = 2, 3


class BranchMeasuring:
    """The encoded sets, and the model whose weights are replaced by those to measure.

    workers: batches at a time; no result depends on it.
    """

    def __init__(
        self, loaded: LoadedModel, sets: Mapping[str, Sequence[ScoredText]], params: MeasureBitsPerByteParams, workers: int = 1
    ) -> None:
        self._model, self._params, self._workers = loaded.model, params, workers
        self._window_tokens = loaded.window(params.window_tokens, "measure_bits_per_byte.window_tokens")
        self._encoded = {
            name: encode_pairs(loaded.tokenizer, [text.pair for text in texts], loaded.first_id) for name, texts in sets.items()
        }
        self._texts = _describe_texts(sets, self._encoded)

    def model_bits(self, weights: Mapping[str, torch.Tensor]) -> np.ndarray:
        """float64 [texts of all sets]: bits of each text under these weights."""
        torch.set_num_threads(self._params.cpu_threads)  # training had its own
        self._model.load_state_dict(weights)
        how = self._params.batch_tokens, self._window_tokens, self._workers
        return np.concatenate([score_encoded(self._model, texts, *how).bits for texts in self._encoded.values()])

    def ngram_bits(self, counts: NgramCounts) -> tuple[np.ndarray, np.ndarray]:
        """(bigram, trigram): float64 [texts of all sets] each. counts: of orders 1 to 3."""
        texts = [text for encoded in self._encoded.values() for text in encoded]
        bigram, trigram = (KneserNey.from_counts(counts, order).bits(texts) for order in (BIGRAM, TRIGRAM))
        return bigram, trigram

    def rows(self, branch: Branch, bits: np.ndarray, ngrams: tuple[np.ndarray, np.ndarray]) -> pa.Table:
        """BRANCH_SCHEMA rows of one branch."""
        bigram_bits, trigram_bits = ngrams
        n = len(bits)
        named = {"arm": [branch.arm] * n, "draw": [branch.draw] * n, "learning_rate": [branch.learning_rate] * n}
        columns = {**named, **self._texts, "bits": bits, "bigram_bits": bigram_bits, "trigram_bits": trigram_bits}
        return pa.table([columns[name] for name in BRANCH_SCHEMA.names], schema=BRANCH_SCHEMA)


def count_phase(packed: Path, phase: PhaseParams, vocab_size: int) -> NgramCounts:
    """N-grams of the sequences in `packed` that a phase trains on, each once."""
    return count_ngrams(trained_sequences(TokenShards(packed), phase), vocab_size, TRIGRAM)


def _describe_texts(sets: Mapping[str, Sequence[ScoredText]], encoded: Mapping[str, Sequence[EncodedText]]) -> dict[str, list[Any]]:
    """The columns that are the same for all branches."""
    return {
        "set": [name for name, texts in sets.items() for _ in texts],
        "item": [item for texts in sets.values() for item in range(len(texts))],
        "cluster": [text.cluster for texts in sets.values() for text in texts],
        "n_bytes": [text.n_bytes for texts in encoded.values() for text in texts],
    }

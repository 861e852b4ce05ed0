"""Counts the n-grams of the sequences that a model was trained on: a replay of its batches, each sequence once."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snowcoder.likelihood.ngram_counts import NgramCounts, count_ngrams
from snowcoder.pretraining.batches import BatchOrder
from snowcoder.pretraining.training_params import PhaseParams
from snowcoder.tokenization.token_shards import TokenShards

ORDER = 3


def count_phase(packed: Path, phase: PhaseParams, vocab_size: int) -> NgramCounts:
    """N-grams of the sequences that a phase trains on, each once."""
    data = TokenShards(packed)
    order = BatchOrder(data.n_sequences, phase.batch_tokens // data.sequence_length, phase.seed)
    seen = np.unique(np.concatenate([order.indices(step) for step in range(phase.tokens // phase.batch_tokens)]))
    return count_ngrams(data.sequences(seen), vocab_size, ORDER)


def count_phases(phases: Mapping[Path, PhaseParams], vocab_size: int) -> NgramCounts:
    """N-grams of several phases: those of a model and its ancestors. phases: by the folder of their packed tokens."""
    first, *others = [count_phase(packed, phase, vocab_size) for packed, phase in phases.items()]
    for counts in others:
        first = first + counts
    return first

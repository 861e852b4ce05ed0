"""Replays which packed sequences a model has trained on: those of its own phase, and those of the models that it started from.

in: pretrain.variants, a folder of packed tokens   out: names of variants; uint16 [n, sequence_length]
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snowcoder.pretraining.batches import BatchOrder
from snowcoder.pretraining.training_params import PhaseParams, VariantParams
from snowcoder.tokenization.token_shards import TokenShards


def lineage(variant: str, variants: Mapping[str, VariantParams]) -> list[str]:
    """The variants whose phases made a model, from the one that began with untrained weights to its own.

    Of variants that start from each other in a circle, which check_params refuses, each is named once.
    """
    names = [variant]
    while (parent := Path(variants[names[0]].parent).name) in variants and parent not in names:
        names.insert(0, parent)
    return names


def trained_sequences(packed: TokenShards, phase: PhaseParams) -> np.ndarray:
    """uint16 [n, sequence_length]: each sequence of `packed` once that the phase trains on, however often, in the order of the folder."""
    order = BatchOrder(packed.n_sequences, phase.batch_tokens // packed.sequence_length, phase.seed)
    steps = [order.indices(step) for step in range(phase.tokens // phase.batch_tokens)]
    return packed.sequences(np.unique(np.concatenate(steps)))

"""Measures a model's bits per byte on sets of texts, with intervals.

in: named sets of pairs (prompt, text), a model and its tokenizer
out: {set: {bits_per_byte, n_bytes, n_items, ci95}}; rows of ITEM_SCHEMA:
  set     string
  item    int32    place of the text in its set
  bits    float64
  n_bytes int64
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.text_sets import Pair
from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.likelihood.bits_per_byte import TextScores, score_texts
from snowcoder.seeding import derive_seed
from snowcoder.statistics.intervals import RESAMPLES, bootstrap_ratio_interval

ITEM_SCHEMA = pa.schema([("set", pa.string()), ("item", pa.int32()), ("bits", pa.float64()), ("n_bytes", pa.int64())])


def score_sets(
    loaded: LoadedModel, sets: Mapping[str, Sequence[Pair]], batch_tokens: int, window_tokens: int, workers: int = 1
) -> dict[str, TextScores]:
    """{set: bits and bytes of each of its texts}."""
    how = (batch_tokens, window_tokens, workers, loaded.first_id)
    return {name: score_texts(loaded.model, loaded.tokenizer, pairs, *how) for name, pairs in sets.items()}


def summarise_sets(sets: Mapping[str, TextScores], params: MeasureBitsPerByteParams) -> dict[str, Any]:
    """{set: {bits_per_byte, n_bytes, n_items, ci95}}; intervals resample a set's items (solutions, functions, files)."""
    return {name: describe_scores(scores, derive_seed(params.seed, "interval", name), params.resamples) for name, scores in sets.items()}


def item_rows(sets: Mapping[str, TextScores]) -> pa.Table:
    """Every text of every set, as ITEM_SCHEMA: what a comparison of two models resamples."""
    tables = [
        pa.table([[name] * len(scores.bits), range(len(scores.bits)), scores.bits, scores.n_bytes], schema=ITEM_SCHEMA)
        for name, scores in sets.items()
    ]
    return pa.concat_tables(tables)


def describe_scores(scores: TextScores, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """{bits_per_byte, n_bytes, n_items, ci95} of one set."""
    kept = np.flatnonzero(scores.n_bytes)
    return {
        "bits_per_byte": scores.bits_per_byte,
        "n_bytes": int(scores.n_bytes.sum()),
        "n_items": len(scores.bits),
        "ci95": bootstrap_ratio_interval(scores.bits[kept], scores.n_bytes[kept], seed, resamples),
    }

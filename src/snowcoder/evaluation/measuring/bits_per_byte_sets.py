"""Measures a model's bits per byte on sets of texts, with intervals.

in: named sets of texts, a model and its tokenizer
out: {set: {bits_per_byte, n_bytes, n_items, n_clusters, n_as_written, ci95}}; rows of ITEM_SCHEMA:
  set     string
  item    int32    place of the text in its set
  cluster string   repository, or problem of a benchmark
  bits    float64
  n_bytes int64
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.text_sets import ScoredText, count_as_written
from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.likelihood.bits_per_byte import TextScores, score_texts
from snowcoder.seeding import derive_seed
from snowcoder.statistics.clustered import clustered_ratio_interval, count_clusters
from snowcoder.statistics.intervals import RESAMPLES
from snowcoder.words import HELD_OUT

ITEM_SCHEMA = pa.schema(
    [("set", pa.string()), ("item", pa.int32()), ("cluster", pa.string()), ("bits", pa.float64()), ("n_bytes", pa.int64())]
)
Sets = Mapping[str, Sequence[ScoredText]]


def score_sets(loaded: LoadedModel, sets: Sets, batch_tokens: int, window_tokens: int, workers: int = 1) -> dict[str, TextScores]:
    """{set: bits and bytes of each of its texts}."""
    how = (batch_tokens, window_tokens, workers, loaded.first_id)
    return {name: score_texts(loaded.model, loaded.tokenizer, [text.pair for text in texts], *how) for name, texts in sets.items()}


def summarise_sets(sets: Sets, scores: Mapping[str, TextScores], params: MeasureBitsPerByteParams) -> dict[str, Any]:
    """{set: {bits_per_byte, n_bytes, n_items, n_clusters, n_as_written, ci95}}; intervals draw whole repositories, or problems.

    n_as_written: texts that could not be written in the one layout; not told of held_out, whose files are as they were written.
    """
    found = {}
    for name, texts in sets.items():
        found[name] = describe_scores(texts, scores[name], derive_seed(params.seed, "interval", name), params.resamples)
        if name != HELD_OUT:
            found[name]["n_as_written"] = count_as_written(texts)
    return found


def item_rows(sets: Sets, scores: Mapping[str, TextScores]) -> pa.Table:
    """Every text of every set, as ITEM_SCHEMA: what a comparison of two models resamples."""
    tables = []
    for name, texts in sets.items():
        clusters = [text.cluster for text in texts]
        columns = [[name] * len(texts), range(len(texts)), clusters, scores[name].bits, scores[name].n_bytes]
        tables.append(pa.table(columns, schema=ITEM_SCHEMA))
    return pa.concat_tables(tables)


def describe_scores(texts: Sequence[ScoredText], scores: TextScores, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """{bits_per_byte, n_bytes, n_items, n_clusters, ci95} of one set; ci95 is null for a single cluster: it tells nothing of others."""
    kept = np.flatnonzero(scores.n_bytes)
    clusters = [texts[index].cluster for index in kept]
    several = count_clusters(clusters) > 1
    return {
        "bits_per_byte": scores.bits_per_byte,
        "n_bytes": int(scores.n_bytes.sum()),
        "n_items": len(scores.bits),
        "n_clusters": count_clusters(clusters),
        "ci95": clustered_ratio_interval(scores.bits[kept], scores.n_bytes[kept], clusters, seed, resamples) if several else None,
    }

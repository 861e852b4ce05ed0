"""Scores the corpus files with one head.

in: rows of embedding_table, a head  out: one row per corpus file (positives are left out: their shards come out empty), sorted by file_id:
  file_id, language, repository, split  string
  n_bytes                               int64
  licence, path, content_sha256         string
  score                                 float64  mean of the scores of the file's sections
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.annotator.head import Head, file_starts, mean_by_file, read_head
from snowcoder.annotator.tuned_encoder import RunnableEncoder, encoder_of
from snowcoder.embedding.embedding_table import CORPUS, embeddings_of
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.pipeline.execution import ShardResult
from snowcoder.source_files.records import text_columns
from snowcoder.words import TRAIN

QUANTILES = (0.1, 0.5, 0.9)
LENGTHS = (0, 256, 1024, 4096, 16384)
SCORE_SCHEMA = pa.schema(
    [
        *text_columns("file_id", "language", "repository", "split"),
        ("n_bytes", pa.int64()),
        *text_columns("licence", "path", "content_sha256"),
        ("score", pa.float64()),
    ]
)


def score_shard(sections: pa.Table, head: Head) -> ShardResult:
    """Rows as above as table "scores"; no summary: see describe_scores."""
    sections = sections.filter(pc.equal(sections["source"], CORPUS)).sort_by([("file_id", "ascending"), ("section", "ascending")])
    if not len(sections):
        return ShardResult({"scores": SCORE_SCHEMA.empty_table()}, {})
    starts = file_starts(sections["file_id"].to_numpy())
    scores = mean_by_file(head.score_sections(embeddings_of(sections)), starts)
    files = sections.select(SCORE_SCHEMA.names[:-1]).take(pa.array(starts)).append_column("score", pa.array(scores))
    return ShardResult({"scores": files}, {})


def embed_and_score_shard(files: pa.Table, encoder: RunnableEncoder, head: Head) -> ShardResult:
    """As score_shard, from files instead of from their embeddings, which are not kept: they would serve this head alone."""
    from snowcoder.embedding.embed_shard import embed_shard  # torch: a frozen encoder does without

    return score_shard(embed_shard(files, encoder.params, encoder.folder).tables["sections"], head)


def score_other_texts(texts: Sequence[str], models: Mapping[str, Path], frozen: EmbedParams) -> dict[str, np.ndarray]:
    """{recipe: float64 score of each text} of texts outside the corpus. models: recipe -> folder of its annotator."""
    from snowcoder.embedding.embed_shard import embed_texts  # torch

    embedded: dict[Path, tuple[np.ndarray, np.ndarray]] = {}  # a frozen encoder serves all recipes
    scores = {}
    for recipe, model in models.items():
        encoder = encoder_of(model, frozen)
        if encoder.folder not in embedded:
            embedded[encoder.folder] = embed_texts(texts, encoder.params, encoder.folder)
        vectors, starts = embedded[encoder.folder]
        scores[recipe] = mean_by_file(read_head(model).score_sections(vectors), starts)
    return scores


def describe_scores(files: pa.Table) -> dict[str, Any]:
    """How the scores of the train split spread: {"all", "by_language", "by_length", "by_licence", "by_repository"}, each group with files,
    mean and quantiles; "explained_by": share of the variance that each grouping explains. A recipe that has learned a length, a licence
    or a project's subject is visible here."""
    train = files.filter(pc.equal(files["split"], TRAIN))
    scores = train["score"].to_numpy()
    lengths = [_length_class(n_bytes) for n_bytes in train["n_bytes"].to_pylist()]
    named = {name: [value or "unknown" for value in train[name].to_pylist()] for name in ("language", "licence", "repository")}
    groups = {f"by_{name}": keys for name, keys in (named | {"length": lengths}).items()}
    explained = {name.removeprefix("by_"): explained_share(scores, keys) for name, keys in groups.items()}
    described = {name: _describe_groups(scores, keys) for name, keys in groups.items()}
    return {"all": _describe(scores), "explained_by": explained} | described


def explained_share(scores: np.ndarray, keys: Sequence[str]) -> float:
    """Share of the variance of `scores` between the groups, adjusted for their number (epsilon squared; Kelley 1935): 0 is what
    groups drawn at random would give, 1 that a group's name determines the score."""
    _, groups = np.unique(np.array(keys), return_inverse=True)
    n_files, n_groups = len(scores), int(groups.max()) + 1 if len(scores) else 0
    total = float(((scores - scores.mean()) ** 2).sum()) if n_files else 0.0
    if n_groups < 2 or n_files <= n_groups or total == 0:
        return 0.0
    means = np.bincount(groups, weights=scores) / np.bincount(groups)
    within = float(((scores - means[groups]) ** 2).sum())
    return max(0.0, 1 - (within / (n_files - n_groups)) / (total / (n_files - 1)))


def _describe_groups(scores: np.ndarray, keys: Sequence[str]) -> dict[str, Any]:
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return {key: _describe(scores[chosen]) for key, chosen in places.items()}


def _describe(scores: np.ndarray) -> dict[str, float]:
    if not len(scores):
        return {"files": 0}
    quantiles = {f"quantile_{quantile:g}": float(np.quantile(scores, quantile)) for quantile in QUANTILES}
    return {"files": len(scores), "mean_score": float(scores.mean()), **quantiles}


def _length_class(n_bytes: int) -> str:
    """Powers of four, written so that they sort: `00256-01023 bytes`."""
    for low, high in pairwise(LENGTHS):
        if n_bytes < high:
            return f"{low:05d}-{high - 1:05d} bytes"
    return f"{LENGTHS[-1]:05d} bytes and more"

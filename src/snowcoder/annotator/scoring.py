"""Scores each corpus file with the head of its repository's fold, which saw no file of that repository.

in: rows of embedding_table, an annotator  out: one row per corpus file of the pool (positives are left out: their shards come out empty),
sorted by file_id:
  file_id, language, repository, split  string
  n_bytes                               int64
  licence, path, content_sha256         string
  score                                 float64  mean of the scores of the file's sections
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import kruskal

from snowcoder.annotator.folds import Folds, fold_folders, read_folds
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


@dataclass(frozen=True)
class Annotator:
    """A recipe's folds and the head of each, from 0."""

    folds: Folds
    heads: list[Head]


def read_annotator(model: Path) -> Annotator:
    """The annotator in the folder `model`. Raises CheckpointError if a part is missing or broken."""
    return Annotator(read_folds(model), [read_head(folder) for folder in fold_folders(model)])


def score_shard(sections: pa.Table, annotator: Annotator) -> ShardResult:
    """Rows as above as table "scores"; no summary: see describe_scores."""
    sections = sections.filter(pc.equal(sections["source"], CORPUS)).sort_by([("file_id", "ascending"), ("section", "ascending")])
    if not len(sections):
        return ShardResult({"scores": SCORE_SCHEMA.empty_table()}, {})
    starts = file_starts(sections["file_id"].to_numpy())
    folds, embeddings = annotator.folds.of(sections["repository"].to_pylist()), embeddings_of(sections)
    scores = np.empty(len(sections))
    for fold in np.unique(folds):
        scores[folds == fold] = annotator.heads[fold].score_sections(embeddings[folds == fold])
    files = sections.select(SCORE_SCHEMA.names[:-1]).take(pa.array(starts))
    return ShardResult({"scores": files.append_column("score", pa.array(mean_by_file(scores, starts)))}, {})


def embed_and_score_shard(files: pa.Table, annotator: Annotator, encoders: Sequence[RunnableEncoder]) -> ShardResult:
    """As score_shard, from files instead of from their embeddings, which are not kept: they would serve this annotator alone.
    encoders: of each fold; each embeds the files of its own."""
    from snowcoder.embedding.embed_shard import embed_shard  # torch: a frozen encoder does without

    folds = annotator.folds.of(files["repository"].to_pylist())
    parts = [SCORE_SCHEMA.empty_table()]
    for fold in np.unique(folds):
        encoder, own = encoders[fold], files.filter(pa.array(folds == fold))
        parts.append(score_shard(embed_shard(own, encoder.params, encoder.folder).tables["sections"], annotator).tables["scores"])
    return ShardResult({"scores": pa.concat_tables(parts).sort_by("file_id")}, {})


def score_other_texts(texts: Sequence[str], models: Mapping[str, Path], frozen: EmbedParams) -> dict[str, np.ndarray]:
    """{recipe: float64 score of each text} of texts outside the corpus, which no fold has: the mean over the heads of all folds.

    models: recipe -> folder of its annotator."""
    from snowcoder.embedding.embed_shard import embed_texts  # torch

    embedded: dict[Path, tuple[np.ndarray, np.ndarray]] = {}  # a frozen encoder serves all recipes
    scores = {}
    for recipe, model in models.items():
        by_fold = []
        for folder in fold_folders(model):
            encoder = encoder_of(folder, frozen)
            if encoder.folder not in embedded:
                embedded[encoder.folder] = embed_texts(texts, encoder.params, encoder.folder)
            vectors, starts = embedded[encoder.folder]
            by_fold.append(mean_by_file(read_head(folder).score_sections(vectors), starts))
        scores[recipe] = np.mean(by_fold, axis=0)
    return scores


def describe_scores(files: pa.Table, folds: Folds) -> dict[str, Any]:
    """How the scores of the train split spread: {"all", "by_language", "by_length", "by_licence", "by_repository", "by_fold"}, each group
    with files, mean and quantiles; "explained_by": share of the variance that each grouping explains. A recipe that has learned a length, a
    licence or a project's subject is visible here. "between_folds": see compare_folds."""
    train = files.filter(pc.equal(files["split"], TRAIN))
    scores = train["score"].to_numpy()
    lengths = [_length_class(n_bytes) for n_bytes in train["n_bytes"].to_pylist()]
    named = {name: [value or "unknown" for value in train[name].to_pylist()] for name in ("language", "licence", "repository")}
    groups = {f"by_{name}": keys for name, keys in (named | {"length": lengths}).items()}
    explained = {name.removeprefix("by_"): explained_share(scores, keys) for name, keys in groups.items()}
    of_file = folds.of(train["repository"].to_pylist())
    described = {name: _describe_groups(scores, keys) for name, keys in (groups | {"by_fold": [str(fold) for fold in of_file]}).items()}
    between = compare_folds(scores, named["repository"], named["language"], of_file)
    return {"all": _describe(scores), "explained_by": explained, "between_folds": between} | described


def compare_folds(scores: np.ndarray, repositories: Sequence[str], languages: Sequence[str], folds: np.ndarray) -> dict[str, float | None]:
    """Are the scores of different folds, by different heads, on one scale? Whole repositories are in a fold, so that a repository's mean
    score (less its files' languages' means, as files are ranked within their language) is one draw: {"explained_share": share of the
    variance of these means between the folds (0 by chance), "p_value": of Kruskal and Wallis' test that folds are alike}; None where it
    cannot be computed. An explained share near 0 and a p-value that is not small say that no fold's head scores higher than another's."""
    own = scores - _group_means(scores, languages)
    _, first, groups = np.unique(np.array(repositories), return_index=True, return_inverse=True)
    means, fold_of = np.bincount(groups, weights=own) / np.bincount(groups), folds[first]
    parts = [means[fold_of == fold] for fold in np.unique(fold_of)]
    if len(parts) < 2 or np.ptp(means) == 0:
        return {"explained_share": None, "p_value": None}
    return {"explained_share": explained_share(means, [str(fold) for fold in fold_of]), "p_value": float(kruskal(*parts).pvalue)}


def _group_means(scores: np.ndarray, keys: Sequence[str]) -> np.ndarray:
    """float64 mean of each file's group."""
    _, groups = np.unique(np.array(keys), return_inverse=True)
    return (np.bincount(groups, weights=scores) / np.bincount(groups))[groups]


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

"""Fits a head on section embeddings.

in: rows of embedding_table, examples  out: Head

A head is fitted on sections, as it is applied to them: every section carries its file's target and 1 / (sections of the file) of its
weight, so that a long file counts as much as a short one. (Fitted on mean embeddings it could read a file's length off them: the mean of
three vectors of length 1 is shorter than one.) It is judged on files, by the mean over sections.
Solvers are Newton's and Cholesky's in float64, inputs sorted by file and section, one thread. They end within rounding errors of the only
solution; the head keeps WEIGHT_DECIMALS of it, fewer than are sure, so that it is the same on processors whose BLAS adds in other orders.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from snowcoder.annotator.calibration import calibrate_head
from snowcoder.annotator.examples import Example, RecipeParams
from snowcoder.annotator.head import Head, file_starts
from snowcoder.embedding.embedding_table import FILE_COLUMNS, SectionVectors, embeddings_of
from snowcoder.errors import ShardError
from snowcoder.storage.shards import read_shard, read_table

MAX_ITERATIONS = 100
WEIGHT_DECIMALS = 8


def read_files(shards: Sequence[Path]) -> list[dict[str, Any]]:
    """One row per file, without embeddings."""
    rows: list[dict[str, Any]] = []
    for path in shards:
        table = read_shard(path, [*FILE_COLUMNS, "section"])
        rows += table.filter(pc.equal(table["section"], 0)).select(FILE_COLUMNS).to_pylist()  # every file has a top
    return rows


def read_labels(folder: Path) -> tuple[dict[str, float], str | None]:
    """(file_id -> label, who labelled). Raises ShardError for labels of several labellers."""
    table = read_table(folder)
    labellers = sorted(set(table["labeller"].to_pylist()))
    if len(labellers) > 1:
        raise ShardError(f"{folder}: column labeller: found {', '.join(labellers)}; allowed: one; run `dvc repro -f label_files`")
    labels = dict(zip(table["file_id"].to_pylist(), table["label"].to_pylist(), strict=True))
    return labels, labellers[0] if labellers else None


def read_texts(shards: Sequence[Path], examples: Sequence[Example]) -> dict[str, str]:
    """Column `content` of `examples`, by file_id, a shard in memory at a time. shards: of SourceFile rows; a positive may be in one
    table, a negative in another. Raises ShardError if a file is in none of them."""
    wanted = pa.array(sorted({example.file_id for example in examples}))
    texts: dict[str, str] = {}
    for path in shards:
        table = read_shard(path, ["file_id", "content"])
        table = table.filter(pc.is_in(table["file_id"], value_set=wanted))
        texts |= dict(zip(table["file_id"].to_pylist(), table["content"].to_pylist(), strict=True))
    missing = [example.file_id for example in examples if example.file_id not in texts]
    if missing:
        raise ShardError(
            f"data/split_files, data/fetch_positives: found no file {missing[0]} (and {len(missing) - 1} more) of data/embed_files; "
            "allowed: the files that were embedded; run `dvc repro`"
        )
    return texts


def read_vectors(shards: Sequence[Path], examples: Sequence[Example]) -> SectionVectors:
    """The sections of `examples` (sorted by file_id), a shard in memory at a time."""
    wanted = pa.array([example.file_id for example in examples])
    tables = []
    for path in shards:
        table = read_shard(path, ["file_id", "section", "embedding"])
        tables.append(table.filter(pc.is_in(table["file_id"], value_set=wanted)))
    table = pa.concat_tables(tables).sort_by([("file_id", "ascending"), ("section", "ascending")])
    starts = file_starts(table["file_id"].to_numpy())
    if table["file_id"].take(pa.array(starts)).to_pylist() != wanted.to_pylist():
        raise ShardError("data/embed_files: file_id: found twice, or without sections; allowed: once each; run `dvc repro -f embed_files`")
    return SectionVectors(embeddings_of(table), starts)


def fit_head(
    name: str, recipe: RecipeParams, l2: float, labeller: str | None, vectors: SectionVectors, examples: Sequence[Example]
) -> Head:
    """Fit on `examples` and calibrate_head (see calibration); the head is called `name`."""
    weights, bias = _fit(recipe, l2, vectors, examples, np.ones(len(examples), dtype=bool))
    if recipe.kind == "classification":
        slope, intercept = calibrate_head(partial(_fit, recipe, l2), vectors, examples)
        weights, bias = slope * weights, slope * bias + intercept
    uses_labels = recipe.kind == "regression" or "educational" in recipe.positives
    rounded = [round(float(weight), WEIGHT_DECIMALS) for weight in weights]
    return Head(name, recipe.kind, labeller if uses_labels else None, round(float(bias), WEIGHT_DECIMALS), rounded)


def _fit(
    recipe: RecipeParams, l2: float, vectors: SectionVectors, examples: Sequence[Example], is_training: np.ndarray
) -> tuple[np.ndarray, float]:
    """(weights [D], bias) from the files of `is_training`."""
    owners = np.repeat(np.arange(len(examples)), vectors.sizes)
    chosen = is_training[owners]
    targets = np.array([example.target for example in examples])[owners][chosen]
    if recipe.kind == "regression":
        model = Ridge(alpha=l2, solver="cholesky")
    else:
        model = LogisticRegression(C=1.0 / l2, solver="newton-cholesky", tol=1e-10, max_iter=MAX_ITERATIONS)
    with threadpool_limits(1):
        model.fit(vectors.embeddings[chosen], targets, sample_weight=(1.0 / vectors.sizes)[owners][chosen])
    return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

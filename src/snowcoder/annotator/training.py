"""Fitting a head on section embeddings, and judging it on held-out repositories.

in: rows of embedding_table, examples  out: Head, metrics, points of the ROC curve

A head is fitted on sections, as it is applied to them: every section carries its file's target and 1 / (sections of the file) of its
weight, so that a long file counts as much as a short one. (Fitted on mean embeddings it could read a file's length off them: the mean of
three vectors of length 1 is shorter than one.) It is judged on files, by the mean over sections.
Solvers are deterministic: lbfgs and cholesky in float64, inputs sorted by file and section, one thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score, roc_curve
from threadpoolctl import threadpool_limits

from snowcoder.annotator.embedding_table import FILE_COLUMNS, TRAIN, embeddings_of
from snowcoder.annotator.examples import Example, RecipeParams
from snowcoder.annotator.head import Head, file_starts, mean_by_file
from snowcoder.errors import ShardError
from snowcoder.shards import read_shard, read_table

MAX_ITERATIONS = 2000
ROC_POINTS = 201


@dataclass(frozen=True)
class SectionVectors:
    """embeddings: float64 [sections, D], sorted by file, then section; starts: where each file begins. Files as in the list of examples."""

    embeddings: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Number of sections of each file."""
        return np.diff(np.append(self.starts, len(self.embeddings)))


def read_files(shards: Sequence[Path]) -> list[dict[str, Any]]:
    """One row per file of the train split, without embeddings."""
    rows: list[dict[str, Any]] = []
    for path in shards:
        table = read_shard(path, [*FILE_COLUMNS, "section"])
        is_wanted = pc.and_(pc.equal(table["section"], 0), pc.equal(table["split"], TRAIN))
        rows += table.filter(is_wanted).select(FILE_COLUMNS).to_pylist()
    return rows


def read_labels(folder: Path) -> tuple[dict[str, float], str | None]:
    """(file_id -> label, who labelled). Raises ShardError if several labellers are mixed."""
    table = read_table(folder)
    labellers = sorted(set(table["labeller"].to_pylist()))
    if len(labellers) > 1:
        raise ShardError(f"{folder}: column labeller: found {', '.join(labellers)}; allowed: one; run `dvc repro -f label_files`")
    labels = dict(zip(table["file_id"].to_pylist(), table["label"].to_pylist(), strict=True))
    return labels, labellers[0] if labellers else None


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
    """Fit on the examples that are not held out; the head is called `name`."""
    owners = np.repeat(np.arange(len(examples)), vectors.sizes)
    is_training = np.array([not example.is_held_out for example in examples])[owners]
    targets = np.array([example.target for example in examples])[owners][is_training]
    weights = (1.0 / vectors.sizes)[owners][is_training]
    if recipe.kind == "regression":
        model = Ridge(alpha=l2, solver="cholesky")
    else:
        model = LogisticRegression(C=1.0 / l2, solver="lbfgs", tol=1e-8, max_iter=MAX_ITERATIONS)
    with threadpool_limits(1):
        model.fit(vectors.embeddings[is_training], targets, sample_weight=weights)
    uses_labels = recipe.kind == "regression" or "educational" in recipe.positives
    bias = float(np.ravel(model.intercept_)[0])
    return Head(name, recipe.kind, labeller if uses_labels else None, bias, [float(weight) for weight in np.ravel(model.coef_)])


def judge_head(head: Head, vectors: SectionVectors, examples: Sequence[Example]) -> tuple[dict[str, Any], np.ndarray]:
    """(metrics, ROC points [ROC_POINTS, 2] of false and true positive rate) on the held-out examples."""
    held_out = np.array([example.is_held_out for example in examples])
    scores = mean_by_file(head.score_sections(vectors.embeddings), vectors.starts)[held_out]
    judged = [example for example in examples if example.is_held_out]
    is_positive = np.array([example.is_positive for example in judged])
    length_auc = float(roc_auc_score(is_positive, [example.n_bytes for example in judged]))
    metrics = {
        "roc_auc": float(roc_auc_score(is_positive, scores)),
        "roc_auc_of_length_alone": max(length_auc, 1 - length_auc),
        "roc_auc_by_kind": _auc_by_kind(judged, scores),
        "kind": head.kind,
        "labeller": head.labeller,
        **_counts(examples),
    }
    if head.kind == "regression":
        targets = np.array([example.target for example in judged])
        metrics |= {"mean_absolute_error": float(np.abs(scores - targets).mean()), "spearman": float(spearmanr(scores, targets).statistic)}
    return metrics, _roc_points(is_positive, scores)


def write_roc(path: Path, points: np.ndarray) -> None:
    """roc.csv: columns fpr,tpr, ascending."""
    rows = [f"{fpr:.6f},{tpr:.6f}" for fpr, tpr in points]
    path.write_text("\n".join(["fpr,tpr", *rows]) + "\n")


def _auc_by_kind(judged: Sequence[Example], scores: np.ndarray) -> dict[str, float]:
    """Each source of positives against all held-out negatives."""
    aucs = {}
    for kind in sorted({example.kind for example in judged if example.is_positive}):
        chosen = [index for index, example in enumerate(judged) if example.kind == kind or not example.is_positive]
        aucs[kind] = float(roc_auc_score([judged[index].is_positive for index in chosen], scores[chosen]))
    return aucs


def _counts(examples: Sequence[Example]) -> dict[str, Any]:
    counts: dict[str, Any] = {"n_by_kind": {}, "n_by_language": {}}
    for name, is_positive in (("n_positive", True), ("n_negative", False)):
        members = [example for example in examples if example.is_positive == is_positive]
        counts[name] = len(members)
        counts[f"{name}_held_out"] = sum(example.is_held_out for example in members)
        for example in members:
            _increment(counts["n_by_kind"], example.kind)
            _increment(counts["n_by_language"].setdefault(example.language, {}), name)
    counts["repositories_held_out"] = len({example.repository for example in examples if example.is_held_out})
    return counts


def _increment(counter: dict[str, int], key: str) -> None:
    counter[key] = counter.get(key, 0) + 1


def _roc_points(is_positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The curve at ROC_POINTS equally spaced false positive rates: its highest point at each, so that vertical steps are kept."""
    fpr, tpr, _ = roc_curve(is_positive, scores, drop_intermediate=False)
    grid = np.linspace(0.0, 1.0, ROC_POINTS)
    reached = np.searchsorted(fpr, grid, side="right") - 1
    return np.column_stack([grid, tpr[reached]])

"""No leak: a file's score depends on no label and no embedding of its repository's other files; nor on the order of rows."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.annotator.cross_fitting import CrossFit, ExampleVectors, Heads, cross_fitted_scores, fit_heads, plan_cross_fit
from snowcoder.annotator.examples import RecipeParams
from snowcoder.annotator.head_fitting import read_files
from snowcoder.annotator.scoring import Annotator, score_shard
from snowcoder.embedding.embedding_table import embedding_schema
from snowcoder.seeding import generator
from snowcoder.storage.shards import list_shards, read_table, write_table
from tests.annotator.shared_params import shared_params

DIMENSIONS = 3
SCHEMA = embedding_schema(DIMENSIONS)
SHARED = shared_params(folds=3)
INS = RecipeParams(kind="classification", positives=["educational", "instruction"], min_label=3.5)
HQ = RecipeParams(kind="classification", positives=["high_quality"], min_label=3.5)
EDU = RecipeParams(kind="regression", positives=[], min_label=3.0)
Rows = list[dict[str, Any]]


def corpus_of(seed: int) -> tuple[Rows, dict[str, float]]:
    """(a row per section, labels): nine repositories of the corpus, c8 of them held out, c1 with positives of its own; p0 to p3 have
    positives alone."""
    draws = generator(seed, "corpus")
    rows: Rows = []
    for source, numbers in (("corpus", range(9)), ("instruction", range(4)), ("high_quality", range(4))):
        for repository in [f"{'c' if source == 'corpus' else 'p'}{number}" for number in numbers] + ["c1"] * (source != "corpus"):
            for number in range(int(draws.integers(3, 7))):
                language = "css" if source == "corpus" and draws.random() < 0.3 else "python"
                row = {"source": source, "repository": repository, "language": language, "n_bytes": int(draws.integers(100, 900))}
                row |= {"file_id": f"{source}-{repository}-{number}", "split": "held_out" if repository == "c8" else "train"}
                rows += [row | {"section": section, "embedding": vector(draws)} for section in range(int(draws.integers(1, 4)))]
    labelled = sorted({row["file_id"] for row in rows if row["source"] == "corpus" and row["split"] == "train"})
    # of each class in several repositories, whatever is drawn
    certain = {f"corpus-c{number}-{place}": float(4 * place) for number in range(8) for place in (0, 1)}
    return rows, {file_id: float(draws.integers(0, 6)) for file_id in labelled} | certain


def vector(draws: np.random.Generator, size: float = 1.0) -> np.ndarray:
    return (size * draws.normal(size=DIMENSIONS)).astype(np.float32)


def fitted(rows: Rows, labels: dict[str, float], recipe: RecipeParams) -> tuple[CrossFit, Heads, np.ndarray, dict[str, float]]:
    """(plan, heads, score of each example, score of each file of the corpus)."""
    with TemporaryDirectory() as folder:
        write_table(Path(folder) / "rows", [pa.Table.from_pylist(rows, schema=SCHEMA)], SCHEMA)
        shards, table = list_shards(Path(folder) / "rows"), read_table(Path(folder) / "rows")
        plan = plan_cross_fit(read_files(shards), labels, SHARED, recipe)
        vectors = ExampleVectors(shards, plan)
        heads = fit_heads("X", recipe, SHARED.l2, None, plan, vectors)
        scores = score_shard(table, Annotator(plan.folds, heads.scoring)).tables["scores"].to_pylist()
        return plan, heads, cross_fitted_scores(heads, plan, vectors), {row["file_id"]: row["score"] for row in scores}


@pytest.mark.parametrize("recipe", [INS, HQ, EDU])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), place=st.integers(0, 8))
def test_no_score_depends_on_labels_or_embeddings_of_its_repository(recipe: RecipeParams, seed: int, place: int) -> None:
    rows, labels = corpus_of(seed)
    changed, draws = f"c{place}", generator(seed, "change")
    kept = f"corpus-{changed}-0"  # a file's own embedding decides its score, and must stay for the comparison
    other_rows = [
        row | {"embedding": vector(draws, 9.0)} if row["repository"] == changed and row["file_id"] != kept else row for row in rows
    ]
    other_labels = {file_id: 5.0 - label if f"-{changed}-" in file_id else label for file_id, label in labels.items()}
    plan, heads, _, scores = fitted(rows, labels, recipe)
    _, others, _, other_scores = fitted(other_rows, other_labels, recipe)
    fold = plan.folds.by_repository[changed]
    assert heads.scoring[fold] == others.scoring[fold]
    assert scores[kept] == other_scores[kept]
    if any(example.repository == changed and example.file_id != kept for example in plan.every_example):
        assert heads.scoring != others.scoring, "the heads of other folds do see it"
    in_fold = {name for name, own in plan.folds.by_repository.items() if own == fold}
    for file_id, score in scores.items():
        repository = file_id.split("-")[1]
        if repository in in_fold and repository != changed:
            assert score == other_scores[file_id]


@pytest.mark.parametrize("recipe", [INS, HQ, EDU])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), shuffler=st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(recipe: RecipeParams, seed: int, shuffler: random.Random) -> None:
    rows, labels = corpus_of(seed)
    plan, heads, judged, scores = fitted(rows, labels, recipe)
    shuffler.shuffle(rows)
    other_plan, others, other_judged, other_scores = fitted(rows, dict(reversed(labels.items())), recipe)
    assert (heads, scores) == (others, other_scores)
    assert (plan.judged, plan.scoring, plan.judging) == (other_plan.judged, other_plan.scoring, other_plan.judging)
    assert judged.tobytes() == other_judged.tobytes()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_who_is_trained_on_what(seed: int) -> None:
    rows, labels = corpus_of(seed)
    files = [row for row in rows if row["section"] == 0]
    plan = plan_cross_fit(files, labels, SHARED, INS)
    positives = {row["file_id"] for row in files if row["source"] == "instruction"}
    assert sorted(example.file_id for fold in range(3) for example in plan.judged_in(fold)) == [example.file_id for example in plan.judged]
    for fold in range(3):
        own = {name for name, number in plan.folds.by_repository.items() if number == fold}
        assert not own & {example.repository for example in plan.scoring[fold] + plan.judging[fold]}
        judged = {example.repository for example in plan.judged_in(fold)}
        assert not judged & {example.repository for example in plan.judging[fold]}
        # positives from outside serve every head that scores, but for those that share a repository with the fold
        outside = {file_id for file_id in positives if file_id.split("-")[1] not in own}
        assert {example.file_id for example in plan.scoring[fold] if example.kind == "instruction"} == outside
    assert "c8" not in {example.repository for example in plan.every_example}
    assert any({example.repository for example in plan.judged_in(fold)} & {"p0", "p1", "p2", "p3"} for fold in range(3))

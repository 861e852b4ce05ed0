"""Training and scoring on separable embeddings: the heads find the direction, are judged on files that they have not seen, and are
reproducible."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from snowcoder.annotator.cross_fitting import ExampleVectors, cross_fitted_scores, fit_heads, plan_cross_fit
from snowcoder.annotator.examples import RecipeParams
from snowcoder.annotator.head_fitting import read_files, read_labels
from snowcoder.annotator.held_out_metrics import judge_scores, write_curve
from snowcoder.annotator.scoring import Annotator, compare_folds, describe_scores, explained_share, score_shard
from snowcoder.embedding.embedding_table import embedding_schema
from snowcoder.errors import ShardError
from snowcoder.seeding import generator
from snowcoder.storage.shards import list_shards, read_shard, write_table
from tests.annotator.shared_params import shared_params

DIMENSIONS = 8
SHARED = shared_params()
HQ = RecipeParams(kind="classification", positives=["high_quality"], min_label=3.5)
EDU = RecipeParams(kind="regression", positives=[], min_label=3.0)


def section_rows(source: str, n_files: int, quality: float) -> list[dict[str, object]]:
    random = generator(5, source)
    rows = []
    for index in range(n_files):
        for section in ([0], [0, 2], [0, 1, 2])[index % 3]:
            vector = random.normal(size=DIMENSIONS)
            vector[0] += quality
            rows.append(
                {
                    "file_id": f"{source}-{index:03d}",
                    "source": source,
                    "repository": f"{source}-{index % 8}",
                    "language": "python",
                    "split": "held_out" if source == "corpus" and index % 8 == 7 else "train",
                    "n_bytes": 1000 + (index * 37) % 100,
                    "section": section,
                    "embedding": (vector / np.linalg.norm(vector)).astype(np.float32),
                }
            )
    return rows


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    schema = embedding_schema(DIMENSIONS)
    tables = [section_rows("corpus", 120, 0.0), section_rows("high_quality", 60, 4.0)]
    write_table(tmp_path / "embed_files", [pa.Table.from_pylist(rows, schema=schema) for rows in tables], schema)
    return list_shards(tmp_path / "embed_files")


def test_a_classification_finds_the_direction(shards: list[Path], tmp_path: Path) -> None:
    plan = plan_cross_fit(read_files(shards), {}, SHARED, HQ)
    vectors = ExampleVectors(shards, plan)
    heads = fit_heads("HQ", HQ, SHARED.l2, "rubric", plan, vectors)
    for head in heads.scoring + heads.judging:
        assert int(np.argmax(np.abs(head.weights))) == 0
        assert head.labeller is None
    metrics, points, precision_recall = judge_scores(heads.judging[0], cross_fitted_scores(heads, plan, vectors), plan)
    assert metrics["roc_auc"] > 0.95
    assert 0.5 <= metrics["roc_auc_of_length_alone"] < 0.8
    assert (metrics["n_positive"], metrics["n_negative"]) == (60, 60)
    assert metrics["repositories"] == 15
    assert [sum(fold[name] for fold in metrics["by_fold"]) for name in ("n_positive", "n_negative", "repositories")] == [60, 60, 15]
    assert min(fold["roc_auc"] for fold in metrics["by_fold"]) > 0.9
    assert points[0, 0] == 0.0
    assert points[-1].tolist() == [1.0, 1.0]
    assert (np.diff(points, axis=0) >= 0).all()
    assert metrics["average_precision"] > 0.9
    assert (np.diff(precision_recall[:, 1]) <= 0).all()  # the best precision at a recall or beyond
    assert precision_recall[-1, 1] >= metrics["positive_fraction"]
    write_curve(tmp_path / "roc.csv", ("fpr", "tpr"), points)
    assert (tmp_path / "roc.csv").read_text().splitlines()[-1] == "1.000000,1.000000"
    assert fit_heads("HQ", HQ, SHARED.l2, "rubric", plan, vectors) == heads


def test_heads_are_the_same_by_the_kernels_of_every_processor(repository_root: Path) -> None:
    # OpenBLAS adds in another order by each; one that it does not have on this machine's architecture is left aside
    heads = set()
    for kernels in ("SkylakeX", "Haswell", "Nehalem"):
        environment = os.environ | {"OPENBLAS_CORETYPE": kernels}
        command = [sys.executable, "-m", "tests.annotator.heads_by_kernel"]
        run = subprocess.run(command, cwd=repository_root, env=environment, capture_output=True, text=True, check=True)
        heads.add(run.stdout)
    assert len(heads) == 1
    assert len(heads.pop().splitlines()) == 2


def test_a_regression_follows_its_labels(shards: list[Path]) -> None:
    files = read_files(shards)
    values: dict[str, list[float]] = {}
    for row in read_shard(shards[0]).to_pylist():
        values.setdefault(row["file_id"], []).append(row["embedding"][0])
    labels = {row["file_id"]: 2.5 + 2.5 * float(np.mean(values[row["file_id"]])) for row in files if row["source"] == "corpus"}
    plan = plan_cross_fit(files, labels, SHARED, EDU)
    vectors = ExampleVectors(shards, plan)
    heads = fit_heads("EDU", EDU, SHARED.l2, "rubric", plan, vectors)
    assert heads.judging == heads.scoring  # a regression has no positives from outside the corpus
    metrics, _, _ = judge_scores(heads.judging[0], cross_fitted_scores(heads, plan, vectors), plan)
    assert heads.scoring[0].labeller == metrics["labeller"] == "rubric"
    assert metrics["spearman"] > 0.9
    assert metrics["mean_absolute_error"] < 0.6
    assert metrics["calibration"]["slope"] > 0
    assert sum(one["files"] for one in metrics["calibration"]["bins"]) == metrics["n_positive"] + metrics["n_negative"]


def test_scores_are_means_over_sections_of_corpus_files_only(shards: list[Path]) -> None:
    plan = plan_cross_fit(read_files(shards), {}, SHARED, HQ)
    annotator = Annotator(plan.folds, fit_heads("HQ", HQ, SHARED.l2, None, plan, ExampleVectors(shards, plan)).scoring)
    corpus, positives = (score_shard(read_shard(path), annotator) for path in shards)
    assert len(positives.tables["scores"]) == 0
    scores = corpus.tables["scores"].to_pylist()
    assert len(scores) == 120
    rows = [row for row in read_shard(shards[0]).to_pylist() if row["file_id"] == scores[2]["file_id"]]
    assert len(rows) == 3
    head = annotator.heads[plan.folds.by_repository[rows[0]["repository"]]]
    by_hand = [float(np.dot(row["embedding"], head.weights)) + head.bias for row in rows]
    assert scores[2]["score"] == pytest.approx(sum(by_hand) / 3)
    described = describe_scores(corpus.tables["scores"], plan.folds)
    assert described["all"]["files"] == described["by_language"]["python"]["files"] == 105  # of the train split
    assert set(described["by_repository"]) == {f"corpus-{index}" for index in range(7)}
    assert sum(fold["files"] for fold in described["by_fold"].values()) == 105
    assert described["by_length"] == {"00256-01023 bytes": described["by_length"]["00256-01023 bytes"], **described["by_length"]}
    train = [row["score"] for row in scores if row["split"] == "train"]
    assert described["all"]["quantile_0.5"] == pytest.approx(float(np.median(train)))


def test_folds_of_other_scales_are_seen() -> None:
    draws = generator(2, "folds")
    repositories = [f"r{index % 40:02d}" for index in range(400)]
    folds = np.array([int(name[1:]) % 4 for name in repositories])
    scores = draws.normal(size=400)
    alike = compare_folds(scores, repositories, ["python"] * 400, folds)
    assert alike["explained_share"] is not None
    assert alike["p_value"] is not None
    assert alike["explained_share"] < 0.2
    assert alike["p_value"] > 0.05
    apart = compare_folds(scores + folds, repositories, ["python"] * 400, folds)
    assert apart["explained_share"] is not None
    assert apart["p_value"] is not None
    assert apart["explained_share"] > 0.8
    assert apart["p_value"] < 1e-4
    # a language's level says nothing of a fold: it is taken out first
    languages = [f"l{fold}" for fold in folds]
    levelled = compare_folds(scores + folds, repositories, languages, folds)
    assert levelled["explained_share"] == pytest.approx(0.0, abs=0.05)
    assert compare_folds(np.ones(400), repositories, languages, folds) == {"explained_share": None, "p_value": None}


def test_the_share_that_groups_explain() -> None:
    scores = generator(1, "shares").normal(size=400)
    groups = [str(index % 8) for index in range(400)]
    assert explained_share(scores, groups) < 0.03
    told = np.array([float(group) for group in groups])
    assert explained_share(told, groups) == pytest.approx(1.0)
    # variances 4 between and 1 within, by construction
    assert explained_share(scores + 2 * (told - told.mean()) / told.std(), groups) == pytest.approx(0.8, abs=0.04)
    assert explained_share(np.ones(3), ["a", "b", "c"]) == 0.0


def test_mixed_labellers_are_refused(tmp_path: Path) -> None:
    schema = pa.schema([("file_id", pa.string()), ("label", pa.float64()), ("labeller", pa.string())])
    rows = [{"file_id": "a", "label": 1.0, "labeller": "rubric"}, {"file_id": "b", "label": 2.0, "labeller": "llm"}]
    write_table(tmp_path, [pa.Table.from_pylist(rows, schema=schema)], schema)
    with pytest.raises(ShardError, match="found llm, rubric; allowed: one"):
        read_labels(tmp_path)

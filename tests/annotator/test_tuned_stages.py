"""train_annotator and score_files with a tuned encoder: only it scores the corpus, also after a kill, and frozen runs still read
the same inputs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from snowcoder.annotator.folds import fold_folder, fold_folders, read_folds
from snowcoder.annotator.head import file_starts, mean_by_file, read_head
from snowcoder.annotator.scoring import embed_and_score_shard, read_annotator
from snowcoder.annotator.tuned_encoder import RunnableEncoder, read_tuned
from snowcoder.embedding.embed_shard import embed_shard
from snowcoder.embedding.embedding_table import embeddings_of
from snowcoder.embedding.pool import is_in_pool
from snowcoder.errors import SourceError
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.files import sha256_file
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import list_shards, read_shard, read_table, write_table
from stages import embed_files, score_files, train_annotator
from tests.embedding.tiny_encoder import GOOD, PLAIN, POOR, text_of, write_encoder

ROOT = Path(__file__).resolve().parents[2]
N_SHARDS = 100
PARAMS = """
embed_files:
  encoder: {{source: folder, name: {folder}, revision: '', weights_sha256: {digest}, pooling: mean}}
  pool_fraction: 1.0
  pool_seed: 1
  section_tokens: 16
  batch_tokens: 256
  bf16: false
  cpu_threads: 1
  device: cpu
train_annotator:
  shared:
    encoder: {encoder}
    tuning: {{epochs: 5, patience_epochs: 2, validation_fraction: 0.2, batch_files: 8, batch_tokens: 512, learning_rate: 0.001,
              warmup_fraction: 0.1, weight_decay: 0.01, max_gradient_norm: 1.0}}
    seed: 1
    folds: 3
    negatives_per_positive: 1.0
    l2: 0.3
  recipes:
    EDU: {{kind: regression, positives: [], min_label: 3.0}}
    HQ: {{kind: classification, positives: [high_quality], min_label: 3.5}}
"""


def rows_of(name: str, n_files: int, quality: list[str]) -> list[dict[str, object]]:
    """Of eight repositories."""
    return [
        make_source_file(
            source="t", repository=f"{name}-{index % 8}", path=f"{name}{index}.py", language="python", content=text_of(quality, index),
            licence="MIT", download_rank=None, revision="1",
        ).row()
        for index in range(n_files)
    ]  # fmt: skip


def write_inputs(folder: Path) -> None:
    corpus = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    rows = [row | {"split": "train"} for row in [*rows_of("poor", 180, POOR), *rows_of("good", 20, GOOD)]]
    rows += [row | {"split": "held_out"} for row in rows_of("plain", 100, PLAIN)]
    write_table(folder / "data/split_files", [pa.Table.from_pylist(rows[shard::N_SHARDS], corpus) for shard in range(N_SHARDS)], corpus)
    kinds = SOURCE_FILE_SCHEMA.append(pa.field("kind", pa.string()))
    positives = [row | {"kind": "high_quality"} for row in rows_of("positive", 48, GOOD)]
    write_table(folder / "data/fetch_positives", [pa.Table.from_pylist(positives, kinds)], kinds)
    labels = pa.schema([("file_id", pa.string()), ("label", pa.float64()), ("labeller", pa.string())])
    labelled = [
        {"file_id": row["file_id"], "label": 4.5 if "good" in str(row["path"]) else 1.0, "labeller": "rubric"} for row in rows[:200]
    ]
    write_table(folder / "data/label_files", [pa.Table.from_pylist(labelled, labels)], labels)


def write_params(folder: Path, encoder: str) -> None:
    tiny = folder / "tiny"
    (folder / "params.yaml").write_text(PARAMS.format(folder=tiny, digest=sha256_file(tiny / "model.safetensors"), encoder=encoder))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Embedded once, HQ trained both ways: models/train_annotator/HQ is tuned, models/frozen is not."""
    folder = tmp_path_factory.mktemp("workspace")
    write_encoder(folder / "tiny")
    write_inputs(folder)
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNOWCODER_TRACKING", "local")
        patch.setenv("SNOWCODER_EXECUTOR", "serial")
        write_params(folder, "frozen")
        embed_files.main()
        train_annotator.main("HQ")
        shutil.copytree("models/train_annotator/HQ", "models/frozen")
        shutil.copy("metrics/train_annotator/HQ.json", "metrics/frozen.json")
        write_params(folder, "tuned")
        train_annotator.main("HQ")
        yield folder


def copy_of(workspace: Path, folder: Path) -> Path:
    shutil.copytree(workspace, folder, ignore=shutil.ignore_patterns(".work"))
    return folder


def scores_by_hand(workspace: Path, shard: Path) -> list[float]:
    """Each file by the encoder and the head of its repository's fold."""
    model, files, scores = workspace / "models/train_annotator/HQ", read_shard(shard).sort_by("file_id"), []
    folds = read_folds(model).of(files["repository"].to_pylist())
    for place, fold in enumerate(folds.tolist()):
        tuned, head = read_tuned(fold_folder(model, fold)), read_head(fold_folder(model, fold))
        sections = embed_shard(files.slice(place, 1), tuned.params, tuned.folder).tables["sections"]
        scores += mean_by_file(head.score_sections(embeddings_of(sections)), file_starts(sections["file_id"].to_numpy())).tolist()
    assert len(set(folds.tolist())) > 1
    return scores


def test_tuning_is_told_beside_the_frozen_head_and_beats_chance(workspace: Path) -> None:
    metrics, frozen = (read_metrics(workspace / f"metrics/{name}.json") for name in ("train_annotator/HQ", "frozen"))
    assert metrics["roc_auc"] > 0.85  # a tenth of the negatives are good
    assert metrics["encoder"] == "tuned"
    tuning = metrics["tuning"]
    assert tuning["roc_auc_of_frozen_encoder"] == frozen["roc_auc"]
    assert len(tuning["by_fold"]) == 3
    for fold in tuning["by_fold"]:
        losses = [epoch["validation_loss"] for epoch in fold["epochs"]]
        assert losses[fold["kept_epoch"]] == min(losses[1:])
    assert metrics["calibration"]["brier"] < 0.25
    assert frozen.keys() == metrics.keys() - {"encoder", "tuning"}
    assert sorted(path.name for path in (workspace / "models/frozen").iterdir()) == [
        "fold_0", "fold_1", "fold_2", "folds.json", "precision_recall.csv", "roc.csv",
    ]  # fmt: skip
    assert [path.name for path in (workspace / "models/frozen/fold_0").iterdir()] == ["head.json"]


def test_a_tuned_annotator_scores_the_files_with_its_own_encoder(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy_of(workspace, tmp_path / "tuned"))
    shutil.rmtree("data/embed_files")  # it needs no other encoder's vectors
    score_files.main("HQ")
    scores = read_table(Path("data/score_files/HQ"))
    assert len(list_shards(Path("data/score_files/HQ"))) == N_SHARDS
    assert len(scores) == 300
    first = list_shards(Path("data/split_files"))[0]
    found = read_shard(list_shards(Path("data/score_files/HQ"))[0])
    np.testing.assert_allclose(found["score"].to_numpy(), scores_by_hand(workspace, first), atol=1e-5)  # in other batches
    by_name = {name: [row["score"] for row in scores.to_pylist() if row["path"].startswith(name)] for name in ("good", "poor")}
    assert np.mean(by_name["good"]) > np.mean(by_name["poor"]) + 1


def test_a_tuned_annotator_scores_the_pool_and_the_held_out_files_alone(workspace: Path) -> None:
    model, files = workspace / "models/train_annotator/HQ", read_table(workspace / "data/split_files").slice(0, 90)
    encoders = [read_tuned(folder) for folder in fold_folders(model)]
    half = [RunnableEncoder(one.params.model_copy(update={"pool_fraction": 0.5}), one.folder) for one in encoders]
    scores = embed_and_score_shard(files, read_annotator(model), half).tables["scores"]
    expected = {row["file_id"] for row in files.to_pylist() if row["split"] == "held_out" or is_in_pool(row["content_sha256"], 0.5, 1)}
    assert 0 < len(expected) < 90
    assert scores["file_id"].to_pylist() == sorted(expected)


def test_a_frozen_annotator_reads_vectors_and_no_files(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy_of(workspace, tmp_path / "frozen"))
    shutil.rmtree("data/split_files")
    shutil.rmtree("models/train_annotator/HQ")
    shutil.copytree("models/frozen", "models/train_annotator/HQ")
    score_files.main("HQ")
    assert len(read_table(Path("data/score_files/HQ"))) == 300


def test_changed_weights_of_a_tuned_encoder_stop_scoring_before_any_work(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy_of(workspace, tmp_path / "changed"))
    shutil.copy("tiny/model.safetensors", "models/train_annotator/HQ/fold_0/encoder/model.safetensors")
    with pytest.raises(SourceError, match=r"sha256 is .*embedding\.json: encoder\.weights_sha256"):
        score_files.main("HQ")
    assert not Path("data/score_files").exists()


def test_a_regression_is_tuned_on_its_labels(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy_of(workspace, tmp_path / "regression"))
    train_annotator.main("EDU")
    metrics = read_metrics(Path("metrics/train_annotator/EDU.json"))
    assert metrics["labeller"] == "rubric"
    assert metrics["roc_auc"] > 0.9
    assert metrics["mean_absolute_error"] < 1.5


def start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "SNOWCODER_WORK_DIR": str(folder / ".work")}
    environment |= {"SNOWCODER_EXECUTOR": "serial"}
    command = [sys.executable, "-m", "stages.score_files", "--item", "HQ"]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished_shards(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (folder / ".work/state").glob("score_files@HQ/*/shards/*.json")}


def test_a_kill_during_scoring_changes_nothing_and_neither_do_processes(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, whole = (copy_of(workspace, tmp_path / name) for name in ("killed", "whole"))
    process = start(killed)
    while not finished_shards(killed) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = finished_shards(killed)
    assert 0 < len(kept) < N_SHARDS, "the kill came before the first shard or after the last"
    assert not (killed / "data/score_files").exists(), "nothing may be under the final name"
    output, _ = (process := start(killed)).communicate(timeout=300)
    assert process.returncode == 0, output
    monkeypatch.chdir(whole)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    score_files.main("HQ")
    first, second = ({path.name: sha256_file(path) for path in (folder / "data/score_files/HQ").iterdir()} for folder in (killed, whole))
    assert len(first) == N_SHARDS + 1
    assert first == second
    assert (killed / "metrics/score_files/HQ.json").read_bytes() == (whole / "metrics/score_files/HQ.json").read_bytes()

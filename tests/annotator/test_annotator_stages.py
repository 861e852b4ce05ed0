"""label_files, train_annotator, score_files and select_files in turn, twice: the same bytes on every backend."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from snowcoder.embedding.embedding_table import embedding_schema
from snowcoder.seeding import generator
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.files import sha256_file
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import read_table, write_table
from stages import label_files, score_files, select_files, train_annotator

PARAMS = """
embed_files: {pool_fraction: 1.0, pool_seed: 1}
label_files: {labeller: rubric, sample_files: 50, seed: 1}
train_annotator:
  shared:
    encoder: frozen
    tuning: {epochs: 1, patience_epochs: null, validation_fraction: 0.2, batch_files: 8, batch_tokens: 128, learning_rate: 0.001,
             warmup_fraction: 0.1, weight_decay: 0.0, max_gradient_norm: 1.0}
    seed: 1
    folds: 4
    negatives_per_positive: 1.0
    l2: 0.3
  recipes:
    EDU: {kind: regression, positives: [], min_label: 2.0}
    HQINS: {kind: classification, positives: [high_quality, instruction], min_label: 3.5}
select_files:
  shared: {recipe: HQINS, horizon_of: continued, repeats: 4, seed: 1, on_shortfall: error}
  rules:
    selected: {by: score}
    random: {by: hash}
pretrain: {variants: {continued: {tokens: 2000}}}
"""
DIMENSIONS = 4


def corpus_rows() -> list[dict[str, object]]:
    rows = []
    for index in range(80):
        documented = '    """What it does."""\n' if index % 3 else ""
        content = f"def function_{index}(value):\n{documented}    return value + {index}\n" * 6
        file = make_source_file(
            source="test", repository=f"r{index % 10}", path=f"{index}.py", language=["python", "python", "shell"][index % 3],
            content=content, licence="MIT", download_rank=None, revision="1",
        )  # fmt: skip
        rows.append({**file.row(), "split": "held_out" if index % 10 == 9 else "train"})
    return sorted(rows, key=lambda row: str(row["file_id"]))


def write_inputs(root: Path) -> None:
    rows = corpus_rows()
    schema = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    write_table(root / "data/split_files", [pa.Table.from_pylist(part, schema=schema) for part in (rows[:40], rows[40:])], schema)
    tokens = pa.schema([("file_id", pa.string()), ("split", pa.string()), ("n_tokens", pa.int32())])
    counted = [{"file_id": row["file_id"], "split": row["split"], "n_tokens": 40} for row in rows]
    write_table(root / "data/tokenize_files", [pa.Table.from_pylist(counted, schema=tokens)], tokens)
    random = generator(1, "embeddings")
    names = ("file_id", "repository", "language", "split", "n_bytes", "licence", "path", "content_sha256")
    sections = [{**{name: row[name] for name in names}, "source": "corpus"} for row in rows]
    shared = {"language": "python", "split": "train", "n_bytes": 200}
    positives = [
        {"file_id": f"p{index:02d}", "repository": f"p{index % 6}", "source": source, **shared}
        for index, source in enumerate(["high_quality", "instruction"] * 15)
    ]
    for row in [*sections, *positives]:
        vector = random.normal(size=DIMENSIONS) + (np.array([3.0, 0, 0, 0]) if row["source"] != "corpus" else 0.0)
        row |= {"section": 0, "embedding": (vector / np.linalg.norm(vector)).astype(np.float32)}
    schema = embedding_schema(DIMENSIONS)
    write_table(root / "data/embed_files", [pa.Table.from_pylist(part, schema=schema) for part in (sections, positives)], schema)


def run_all() -> None:
    label_files.main()
    for recipe in ("EDU", "HQINS"):
        train_annotator.main(recipe)
        score_files.main(recipe)
    for rule in ("selected", "random"):
        select_files.main(rule)


def hashes(root: Path) -> dict[str, str]:
    return {str(path): sha256_file(path) for path in sorted(root.rglob("*")) if path.is_file()}


def test_stages_give_the_same_bytes_on_every_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_TRACKING", "local")
    (tmp_path / "params.yaml").write_text(PARAMS)
    write_inputs(tmp_path)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    run_all()
    first = hashes(tmp_path)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    run_all()
    assert hashes(tmp_path) == first

    train = {row["file_id"] for row in corpus_rows() if row["split"] == "train"}
    selected = read_table(Path("data/select_files/selected"))
    assert set(selected["file_id"].to_pylist()) < train
    assert set(read_table(Path("data/label_files"))["file_id"].to_pylist()) < train
    assert len(read_table(Path("data/score_files/HQINS"))) == 80
    metrics = {rule: read_metrics(Path(f"metrics/select_files/{rule}.json")) for rule in ("selected", "random")}
    assert metrics["selected"]["budget_tokens"] == metrics["random"]["budget_tokens"] == 500
    assert metrics["selected"]["mean_score"] > metrics["random"]["mean_score"]
    assert read_metrics(Path("metrics/train_annotator/HQINS.json"))["roc_auc"] > 0.8

"""score_baselines on a small pool: its rows, its scores, the same bytes on every backend, and no leak through any of its steps."""

from pathlib import Path

import pyarrow as pa
import pytest
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.baselines.baseline_params import BASELINES
from snowcoder.baselines.scoring import BASELINE_SCHEMA
from snowcoder.embedding.embedding_table import embedding_schema
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.files import sha256_file
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import read_table, write_table
from stages import score_baselines
from tests.inference.tiny_llama import save_folder

PARAMS = """
score_baselines:
  seed: 1
  folds: 3
  ordinary_files: 1000
  dsir_buckets: 100
  hashed_ngrams: {buckets: 1024, epochs: 3, l2: 0.0001}
  perplexity: {beginning_tokens: 20, precision: float32, cpu_threads: 1, batch_tokens: 256}
"""
LOOP = "def total(values):\n    for value in values:\n        result = value + 1\n    return result\n"


def rows_of(changed: str | None) -> list[dict[str, object]]:
    """changed: the repository whose files have another text, but for its first one."""
    rows: list[dict[str, object]] = []
    for index in range(36):
        repository = f"r{index % 6}"
        content = f"import m{index}\n\n\nclass Name{index}:\n    pass\n" * (1 + index % 4) + LOOP * (index % 3)
        if repository == changed and index >= 6:
            content = LOOP * 9 + f"# {index}\n"
        file = make_source_file(
            source="test", repository=repository, path=f"{index}.py", language="python" if index % 9 else "css", content=content,
            licence="MIT", download_rank=None, revision="1",
        )  # fmt: skip
        rows.append({**file.row(), "split": "held_out" if repository == "r5" else "train"})
    return sorted(rows, key=lambda row: str(row["file_id"]))


def write_inputs(root: Path, changed: str | None = None) -> list[dict[str, object]]:
    rows = rows_of(changed)
    schema = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    write_table(root / "data/split_files", [pa.Table.from_pylist(part, schema=schema) for part in (rows[:18], rows[18:])], schema)
    positives: list[dict[str, object]] = [
        make_source_file(
            source="test", repository="positive", path=f"{index}.py", language="python", content=LOOP + f"# {index}\n", licence="MIT",
            download_rank=None, revision="1",
        ).row()
        for index in range(8)
    ]  # fmt: skip
    kinds = SOURCE_FILE_SCHEMA.append(pa.field("kind", pa.string()))
    write_table(
        root / "data/fetch_positives", [pa.Table.from_pylist([row | {"kind": "instruction"} for row in positives], schema=kinds)], kinds
    )
    embedded = [row | {"source": "corpus"} for row in rows if row["path"] != "2.py"]  # outside of the pool
    embedded += [row | {"source": "instruction", "split": "train"} for row in positives]
    sections = [row | {"section": section, "embedding": [1.0, 0.0]} for row in embedded for section in (0, 1)]
    names = embedding_schema(2).names
    table = pa.Table.from_pylist([{name: row[name] for name in names} for row in sections], schema=embedding_schema(2))
    write_table(root / "data/embed_files", [table], embedding_schema(2))
    return rows


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: LlamaForCausalLM, tokenizer: Tokenizer) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    (tmp_path / "params.yaml").write_text(PARAMS)
    save_folder(model, tokenizer, tmp_path / "models/pretrain/general")
    return tmp_path


def test_every_train_file_of_the_pool_has_every_score(workspace: Path) -> None:
    rows = write_inputs(workspace)
    score_baselines.main()
    table = read_table(Path("data/score_baselines"))
    assert table.schema.names == BASELINE_SCHEMA.names
    assert table["file_id"].to_pylist() == [row["file_id"] for row in rows if row["split"] == "train" and row["path"] != "2.py"]
    assert all(table[name].null_count == 0 for name in BASELINES)
    assert table["shortest"].to_pylist() == [-float(n_bytes) for n_bytes in table["n_bytes"].to_pylist()]
    metrics = read_metrics(Path("metrics/score_baselines.json"))
    assert metrics["files"] == 29
    assert metrics["rank_correlation"]["perplexity_low and perplexity_high"] < -0.9
    assert set(metrics["variance_of_scores"]) == set(BASELINES)
    # half of each class: files with loops look like the positives
    has_loops = [score > 0 for score in table["loops"].to_pylist()]
    for name in ("dsir", "hashed_ngrams"):
        scores = table[name].to_pylist()
        assert max(s for s, loops in zip(scores, has_loops, strict=True) if not loops) < max(scores)


def test_the_texts_of_a_repository_do_not_change_how_its_other_files_are_scored(workspace: Path) -> None:
    tables = []
    for changed in (None, "r1"):
        write_inputs(workspace, changed)
        score_baselines.main()
        tables.append({row["file_id"]: row for row in read_table(Path("data/score_baselines")).to_pylist()})
    before, after = tables
    own = [file_id for file_id, row in before.items() if row["repository"] == "r1"]
    unchanged = [file_id for file_id in own if before[file_id]["content_sha256"] == after[file_id]["content_sha256"]]
    assert 0 < len(unchanged) < len(own)
    for name in ("dsir", "hashed_ngrams"):
        assert all(before[file_id][name] == after[file_id][name] for file_id in unchanged)
        # and the change is one that other repositories' scores show
        assert any(before[file_id][name] != after[file_id][name] for file_id in before.keys() - set(own))


@pytest.mark.slow
def test_the_same_bytes_on_every_backend(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_inputs(workspace)
    hashes = []
    for executor in ("serial", "processes"):
        monkeypatch.setenv("SNOWCODER_EXECUTOR", executor)
        monkeypatch.setenv("SNOWCODER_WORKERS", "2")
        score_baselines.main()
        hashes.append(sha256_file(Path("data/score_baselines/part-00000.parquet")))
    assert hashes[0] == hashes[1]

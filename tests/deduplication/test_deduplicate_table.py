import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.deduplication.files import DROPPED_SCHEMA, deduplicate_table
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.errors import EmptyResultError
from snowcoder.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.shards import list_shards, read_table, write_table
from stages.deduplicate_files import main

PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1)


def source_row(repository: str, path: str, content: str, *, rank: int | None = None, licence: str = "MIT") -> dict:
    return make_source_file(
        source="test",
        repository=repository,
        path=path,
        language="python",
        content=content,
        licence=licence,
        download_rank=rank,
        revision="1",
    ).row()


def text(start: int, stop: int) -> str:
    return " ".join(f"token{number}" for number in range(start, stop))


ROWS = [
    source_row("vendored", "v/copy.py", text(0, 100)),
    source_row("popular", "p/original.py", text(0, 100), rank=2),
    source_row("edited", "e/edited.py", text(5, 105)),
    source_row("gpl", "g/first.py", text(900, 980), rank=1, licence="GPL-3.0-only"),
    source_row("free", "f/second.py", text(900, 980)),
    source_row("small", "s/__init__.py", ""),
    source_row("small", "s/version.py", "version = 1"),
]


def write_source(folder: Path, rows: list[dict], shards: int) -> None:
    write_table(folder, [pa.Table.from_pylist(rows[number::shards], SOURCE_FILE_SCHEMA) for number in range(shards)], SOURCE_FILE_SCHEMA)


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _serial(monkeypatch):
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


def test_kept_and_dropped_rows_with_their_evidence(tmp_path):
    write_source(tmp_path / "in", ROWS, 2)
    metrics = deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    dropped = {row["path"]: row for row in read_table(tmp_path / "out" / "dropped").to_pylist()}
    assert {path: (row["reason"], row["kept_path"], row["kept_repository"]) for path, row in dropped.items()} == {
        "v/copy.py": ("exact", "p/original.py", "popular"),
        "e/edited.py": ("near", "p/original.py", "popular"),
        "g/first.py": ("exact", "f/second.py", "free"),
    }
    assert dropped["e/edited.py"]["jaccard"] == 91 / 101
    assert metrics["dropped"] == {"exact": 2, "near": 1}
    assert (metrics["rows_in"], metrics["rows_out"]) == (7, 4)
    assert metrics["by_language"]["python"]["bytes_out"] == sum(row["n_bytes"] for row in ROWS if row["path"] not in dropped)
    assert metrics["largest_cluster"]["files_dropped"] == 2


def test_kept_rows_are_unchanged_in_their_shards_and_order(tmp_path):
    write_source(tmp_path / "in", ROWS, 3)
    deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    gone = set(read_table(tmp_path / "out" / "dropped")["file_id"].to_pylist())
    for path in list_shards(tmp_path / "in"):
        expected = [row for row in pa.parquet.read_table(path).to_pylist() if row["file_id"] not in gone]
        assert pa.parquet.read_table(tmp_path / "out" / path.name).to_pylist() == expected
    assert read_table(tmp_path / "out" / "dropped").schema == DROPPED_SCHEMA


def test_the_bytes_are_the_same_for_processes_and_serial(tmp_path, monkeypatch):
    write_source(tmp_path / "in", ROWS, 3)
    shards = list_shards(tmp_path / "in")
    deduplicate_table(shards, PARAMS, tmp_path / "serial", tmp_path / "state1")
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    deduplicate_table(shards, PARAMS, tmp_path / "processes", tmp_path / "state2")
    assert digests(tmp_path / "serial") == digests(tmp_path / "processes")


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(tmp_path):
    write_source(tmp_path / "in", ROWS, 3)
    shards = list_shards(tmp_path / "in")
    deduplicate_table(shards, PARAMS, tmp_path / "whole", tmp_path / "state1")
    deduplicate_table(shards, PARAMS, tmp_path / "cut", tmp_path / "state2")
    (tmp_path / "cut" / "part-00001.parquet").unlink()
    (tmp_path / "state2" / "sketches" / "part-00002.parquet").unlink()
    deduplicate_table(shards, PARAMS, tmp_path / "cut", tmp_path / "state2")
    assert digests(tmp_path / "whole") == digests(tmp_path / "cut")


def test_an_empty_table_is_an_error(tmp_path):
    write_source(tmp_path / "in", [], 2)
    with pytest.raises(EmptyResultError, match="no file is left of 0"):
        deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")


def test_a_language_that_loses_most_of_its_files_is_told(tmp_path, capsys):
    write_source(tmp_path / "in", [source_row("r", f"{number}.py", "x = 1") for number in range(30)], 2)
    deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    assert "python loses 97% of its 30 files" in capsys.readouterr().err


def test_the_stage_publishes_table_and_metrics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path / "work"))
    Path("params.yaml").write_text("deduplicate_files: {ngram_tokens: 5, n_permutations: 256, jaccard_threshold: 0.7, seed: 1}\n")
    write_source(Path("data/filter_files"), ROWS, 2)
    main()
    assert read_table(Path("data/deduplicate_files")).num_rows == 4
    assert json.loads(Path("metrics/deduplicate_files.json").read_text())["lsh"] == {
        "bands": 25,
        "rows_per_band": 10,
        "recall_at_threshold": 0.51147,
    }

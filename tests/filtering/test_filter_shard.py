"""snowcoder.filtering.files over real shards: every row accounted for, the same bytes for any number of workers."""

import hashlib
import json
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.execution import map_shards
from snowcoder.filtering.files import REJECTED_SCHEMA, filter_shard, merge_summaries
from snowcoder.filtering.thresholds import FilterParams
from snowcoder.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.shards import list_shards, read_table, write_table

KEPT = '"""Adds, written by jane@corp.com for the report of the year."""\n\n\ndef add(left, right):\n    return left + right\n'
# In code, a stand-in would be another expression or none at all.
MATRIX_PRODUCT = "# ten words are needed here so that it is kept\nproduct = left@right.de\n"


def shard(contents: list[tuple[str, str]]) -> pa.Table:
    rows = [
        make_source_file(
            source="t", repository="r", path=f"{at}", language=language, content=content, licence="MIT", download_rank=7, revision="1"
        ).row()
        for at, (language, content) in enumerate(contents)
    ]
    return pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA)


def test_kept_and_rejected_add_up_and_derived_columns_follow_the_mask() -> None:
    files = shard([("python", KEPT), ("python", "x = 1\n"), ("python", KEPT + "def ("), ("css", KEPT)])
    result = filter_shard(files, FilterParams())
    kept, rejected = result.tables["kept"].to_pylist(), result.tables["rejected"].to_pylist()
    assert [(row["path"], row["reason"], row["value"], row["threshold"]) for row in rejected] == [
        ("1", "too_few_words", 3.0, 10.0),
        ("2", "python_syntax", 6.0, 0.0),
    ]
    for row in kept:
        assert "jane@corp.com" not in row["content"]
        assert row["n_bytes"] == len(row["content"].encode())
        assert row["content_sha256"] == hashlib.sha256(row["content"].encode()).hexdigest()
    metrics = merge_summaries([json.loads(json.dumps(result.summary))])
    assert metrics["rows_in"] == 4
    assert metrics["dropped"] == {"too_few_words": 1, "python_syntax": 1}
    assert metrics["by_language"] == {"css": {"rows_in": 1, "rows_out": 1}, "python": {"rows_in": 3, "rows_out": 1}}
    assert metrics["masked"] == {"email": 2}
    assert metrics["bytes_in"] == sum(files["n_bytes"].to_pylist())
    assert metrics["bytes_out"] == sum(row["n_bytes"] for row in kept)


def test_masking_can_be_switched_off() -> None:
    files = shard([("python", KEPT)])
    assert filter_shard(files, FilterParams(mask=False)).tables["kept"].equals(files)


def test_a_file_whose_code_masking_would_change_is_dropped_with_its_reason() -> None:
    rejected = filter_shard(shard([("python", MATRIX_PRODUCT)]), FilterParams()).tables["rejected"].to_pylist()
    assert [(row["reason"], row["value"], row["threshold"]) for row in rejected] == [("masking_changes_code", 1.0, 0.0)]


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository_root: Path) -> None:
    contents = [("python", path.read_text()) for path in sorted((repository_root / "src" / "snowcoder").glob("*.py"))]
    write_table(tmp_path / "in", (shard(contents[start::3]) for start in range(3)), SOURCE_FILE_SCHEMA)
    written = []
    for workers in ("1", "2"):
        monkeypatch.setenv("SNOWCODER_WORKERS", workers)
        out = tmp_path / workers
        outputs = {"kept": (out, SOURCE_FILE_SCHEMA), "rejected": (out / "rejected", REJECTED_SCHEMA)}
        function = partial(filter_shard, params=FilterParams())
        summaries = map_shards(function, list_shards(tmp_path / "in"), outputs, tmp_path / f"state{workers}", "filter_files")
        assert merge_summaries(summaries)["rows_in"] == len(contents)
        written.append({str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()})
    assert written[0] == written[1]
    assert read_table(tmp_path / "1").num_rows + read_table(tmp_path / "1" / "rejected").num_rows == len(contents)

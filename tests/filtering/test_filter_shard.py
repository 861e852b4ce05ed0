"""snowcoder.filtering.measuring and .files over real shards: every row accounted for, the same bytes for any number of workers."""

import hashlib
import json
from pathlib import Path

import pytest

from snowcoder.errors import ParameterError
from snowcoder.filtering.filter_shard import filter_shard, load_filter, merge_summaries
from snowcoder.filtering.measuring import MEASURED_SCHEMA, measure_shard, summarise_signals
from snowcoder.filtering.opt_out import OptOut, read_opt_out
from snowcoder.pipeline.execution import Run
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import list_shards, read_table, write_table
from tests.filtering.rows import measured, params, source_table

KEPT = '"""Adds, written by jane@corp.com for the report of the year."""\n\n\ndef add(left, right):\n    return left + right\n'


def test_measuring_keeps_every_row_and_column_and_content() -> None:
    files = source_table([("python", KEPT), ("python", ""), ("html", "<p>")])
    result = measure_shard(files)
    table = result.tables["files"]
    assert table.schema.names == MEASURED_SCHEMA.names
    assert table.select(SOURCE_FILE_SCHEMA.names).equals(files)
    assert [text is None for text in table["masked_content"].to_pylist()] == [False, True, True]
    assert table["masked_email"].to_pylist() == [1, 0, 0]


def test_kept_and_rejected_add_up_and_derived_columns_follow_the_mask() -> None:
    files = measured([("python", KEPT), ("python", "x = 1\n"), ("python", KEPT + "def ("), ("css", KEPT)])
    result = filter_shard(files, load_filter(params()))
    kept, rejected = result.tables["kept"].to_pylist(), result.tables["rejected"].to_pylist()
    assert [(row["path"], row["rule"], row["value"], row["threshold"]) for row in rejected] == [
        ("1", "min_words", 3.0, 10.0),
        ("2", "max_syntax_error_line", 6.0, 0.0),
    ]
    for row in kept:
        assert "jane@corp.com" not in row["content"]
        assert row["n_bytes"] == len(row["content"].encode())
        assert row["content_sha256"] == hashlib.sha256(row["content"].encode()).hexdigest()
    metrics = merge_summaries([json.loads(json.dumps(result.summary))], OptOut())
    assert metrics["rows_in"] == 4
    assert metrics["dropped"] == {"min_words": 1, "max_syntax_error_line": 1}
    assert {name: counts["rows_out"] for name, counts in metrics["by_language"].items()} == {"css": 1, "python": 1}
    assert metrics["masked"] == {"email": 2}
    assert metrics["bytes_in"] == sum(files["n_bytes"].to_pylist())
    assert metrics["bytes_out"] == sum(row["n_bytes"] for row in kept)


def test_every_broken_rule_is_kept_beside_the_first() -> None:
    result = filter_shard(measured([("python", "1 2 3\n")]), load_filter(params()))
    (row,) = result.tables["rejected"].to_pylist()
    assert row["rules"].split() == ["min_words", "min_alphabetic_fraction", "max_digit_fraction", "max_syntax_error_line"]
    metrics = merge_summaries([result.summary], OptOut())
    assert metrics["dropped"] == {"min_words": 1}
    assert metrics["by_rule"]["max_digit_fraction"] == {"files": 1, "files_alone": 0}


def test_another_threshold_needs_no_content() -> None:
    files = measured([("python", KEPT), ("python", "x = 1\n")])
    blank = files.set_column(files.schema.get_field_index("content"), "content", [["", ""]])
    for words in (0, 4, 50):
        chosen = load_filter(params(min_words=words))
        assert filter_shard(blank, chosen).tables["rejected"].equals(filter_shard(files, chosen).tables["rejected"])


def test_masking_can_be_switched_off() -> None:
    files = measured([("python", KEPT)])
    assert filter_shard(files, load_filter(params(mask=False))).tables["kept"].equals(files.select(SOURCE_FILE_SCHEMA.names))


@pytest.mark.parametrize(
    ("licence", "classes", "kept"),
    [
        ("MIT", ["permissive"], True),
        ("GPL-3.0-only", ["permissive"], False),
        ("", ["permissive"], False),
        ("", ["permissive", "unknown"], True),
        ("GPL-3.0-only", ["other"], True),
    ],
)
def test_licence_classes(licence: str, classes: list[str], kept: bool) -> None:
    result = filter_shard(measured([("python", KEPT)], licence=licence), load_filter(params(licence_classes=classes)))
    assert result.tables["kept"].num_rows == kept
    assert [row["rule"] for row in result.tables["rejected"].to_pylist()] == ([] if kept else ["licence_class"])


def test_opted_out_repositories_are_dropped_with_that_reason(tmp_path: Path) -> None:
    listed = tmp_path / "opt_out.csv"
    listed.write_text("repository,reason\nOwner/Code,asked\nother/*,\n")
    chosen = load_filter(params(opt_out=str(listed)))
    for repository, dropped in (("owner/code", True), ("owner/more", False), ("other/x", True), ("other", False)):
        result = filter_shard(measured([("python", KEPT)], repository=repository), chosen)
        assert [row["rule"] for row in result.tables["rejected"].to_pylist()] == ["opted_out"] * dropped
    with pytest.raises(ParameterError, match="cannot be read"):
        read_opt_out(str(tmp_path / "none.csv"))
    listed.write_text("name\na/b\n")
    with pytest.raises(ParameterError, match="columns: found"):
        read_opt_out(str(listed))
    assert "x" not in OptOut()


def test_an_empty_shard_and_an_empty_language_pass() -> None:
    result = filter_shard(measured([]), load_filter(params()))
    assert result.tables["kept"].num_rows == result.tables["rejected"].num_rows == 0
    assert merge_summaries([result.summary], OptOut())["rows_in"] == 0


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository_root: Path) -> None:
    contents = [("python", path.read_text()) for path in sorted((repository_root / "src" / "snowcoder").glob("*.py"))]
    write_table(tmp_path / "in", (source_table(contents[start::3]) for start in range(3)), SOURCE_FILE_SCHEMA)
    written = []
    for workers in ("1", "2"):
        monkeypatch.setenv("SNOWCODER_WORKERS", workers)
        out = tmp_path / workers
        run, outputs = Run(tmp_path / f"s{workers}", "measure"), {"files": (out, MEASURED_SCHEMA)}
        summaries = run.map_shards(measure_shard, list_shards(tmp_path / "in"), outputs)
        metrics = summarise_signals(out, summaries)
        assert metrics["rows_out"] == len(contents)
        assert metrics["quantiles"]["syntax_error_line"]["0.99"] == 0
        written.append({str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()})
    assert written[0] == written[1]
    chosen = load_filter(params())
    rows = [filter_shard(read_table(tmp_path / "1"), chosen).tables[name].num_rows for name in ("kept", "rejected")]
    assert sum(rows) == len(contents)

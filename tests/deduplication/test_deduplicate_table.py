import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.deduplication.deduplicate_table import deduplicate_table
from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.deduplication.evidence import DROPPED_SCHEMA
from snowcoder.errors import EmptyResultError, ShardError
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_table, write_table
from stages.deduplicate_files import main

ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)


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
    assert metrics["largest_cluster"] == {"kept_file_id": dropped["v/copy.py"]["kept_file_id"], "files_dropped": 2}
    assert metrics["clusters_by_size"] == {"2": 1, "3-4": 1, "5-9": 0, "10-99": 0, "100-999": 0, "1000+": 0}


def test_pairs_tell_why_the_end_of_a_chain_stays(tmp_path):
    rows = [source_row("chain", "a.py", text(0, 100), rank=1), source_row("chain", "b.py", text(10, 110), rank=2)]
    rows.append(source_row("chain", "c.py", text(20, 120), rank=3))
    write_source(tmp_path / "in", rows, 2)
    metrics = deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    path_of = {row["file_id"]: row["path"] for row in rows}
    pairs = read_table(tmp_path / "out" / "pairs").to_pylist()
    found = [(path_of[row["file_id"]], path_of[row["preferred_file_id"]], row["is_dropped"], row["preferred_is_dropped"]) for row in pairs]
    assert found == [("b.py", "a.py", True, False), ("c.py", "b.py", False, True)]
    assert [row["jaccard"] for row in pairs] == [86 / 106, 86 / 106]
    assert metrics["pairs_matched"] == 2


def test_kept_rows_are_unchanged_in_their_shards_and_order(tmp_path):
    write_source(tmp_path / "in", ROWS, 3)
    deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    gone = set(read_table(tmp_path / "out" / "dropped")["file_id"].to_pylist())
    for path in list_shards(tmp_path / "in"):
        expected = [row for row in pa.parquet.read_table(path).to_pylist() if row["file_id"] not in gone]
        assert pa.parquet.read_table(tmp_path / "out" / path.name).to_pylist() == expected
    assert read_table(tmp_path / "out" / "dropped").schema == DROPPED_SCHEMA


@pytest.mark.parametrize("workers", ["1", "2", "5"])
def test_the_bytes_are_the_same_for_any_number_of_workers(tmp_path, monkeypatch, workers):
    write_source(tmp_path / "in", ROWS, 3)
    shards = list_shards(tmp_path / "in")
    deduplicate_table(shards, PARAMS, tmp_path / "serial", tmp_path / "state1")
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", workers)
    deduplicate_table(shards, PARAMS, tmp_path / "workers", tmp_path / "state2")
    assert digests(tmp_path / "serial") == digests(tmp_path / "workers")


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(tmp_path):
    write_source(tmp_path / "in", ROWS, 3)
    shards = list_shards(tmp_path / "in")
    deduplicate_table(shards, PARAMS, tmp_path / "whole", tmp_path / "state1")
    deduplicate_table(shards, PARAMS, tmp_path / "cut", tmp_path / "state2")
    (tmp_path / "cut" / "part-00001.parquet").unlink()
    (tmp_path / "state2" / "sketches" / "part-00002.rows.npy").unlink()
    (tmp_path / "state2" / "written" / "part-00001.json").unlink()
    deduplicate_table(shards, PARAMS, tmp_path / "cut", tmp_path / "state2")
    assert digests(tmp_path / "whole") == digests(tmp_path / "cut")


def test_an_empty_table_is_an_error(tmp_path):
    write_source(tmp_path / "in", [], 2)
    with pytest.raises(EmptyResultError, match="no file is left of 0"):
        deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")


def test_a_language_and_a_repository_that_lose_most_of_their_files_are_told(tmp_path, capsys):
    rows = [source_row("r", f"{number}.py", "x = 1") for number in range(30)] + [source_row("s", "s.py", "y = 1")]
    write_source(tmp_path / "in", rows, 2)
    metrics = deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    told = capsys.readouterr().err
    assert "language python loses 94% of its 31 files" in told
    assert "repository r loses 97% of its 30 files" in told
    assert metrics["wipe_out"] == {
        "languages": [{"name": "python", "rows_in": 31, "rows_out": 2}],
        "repositories": [{"name": "r", "rows_in": 30, "rows_out": 1}],
        "n_repositories": 1,
    }


def test_the_alarm_stops_the_stage_where_params_say_so_and_not_below_their_limits(tmp_path):
    write_source(tmp_path / "in", [source_row("r", f"{number}.py", f"x = {number // 2}") for number in range(30)], 2)
    shards = list_shards(tmp_path / "in")

    def run(**limits):
        params = PARAMS.model_copy(update={"wipe_out": ALARM.model_copy(update={"stop": True} | limits)})
        deduplicate_table(shards, params, tmp_path / "out", tmp_path / "state")

    run()  # exactly half
    run(max_dropped_fraction=0.4, min_files=31)
    with pytest.raises(EmptyResultError, match=r"python, r lose more than max_dropped_fraction=0.4"):
        run(max_dropped_fraction=0.4)


def test_strange_texts_and_many_tiny_files_are_neither_lost_nor_mixed_up(tmp_path):
    strange = ["", "\0" * 40, "\0" * 41, "é" * 300, "\ufffd" * 20, "\r\n", "x = 1", "x = 1\n", "a," * 200_000, "a;" * 200_000]
    tiny = [f"v{number}" for number in range(2000)]
    rows = [source_row("r", f"{number}.py", content) for number, content in enumerate(strange + tiny)]
    write_source(tmp_path / "in", rows, 3)
    metrics = deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    dropped = {(row["path"], row["kept_path"], row["reason"]) for row in read_table(tmp_path / "out" / "dropped").to_pylist()}
    # an NUL is a token; a file of white space has none, as the empty one; of one depth and length of path the file_id decides
    assert {frozenset(row[:2]) for row in dropped} == {
        frozenset(("0.py", "5.py")),
        frozenset(("1.py", "2.py")),
        frozenset(("6.py", "7.py")),
    }
    assert {row[2] for row in dropped} == {"near"}
    assert metrics["rows_out"] == len(rows) - 3


def test_rows_of_one_identity_are_not_lost(tmp_path):
    row = source_row("r", "a.py", text(0, 50))
    other = row | {"content": text(500, 550)}
    write_source(tmp_path / "in", [row, other, row], 1)
    metrics = deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    assert metrics["dropped"] == {"exact": 1}
    assert sorted(read_table(tmp_path / "out")["content"].to_pylist()) == sorted([row["content"], other["content"]])


def test_a_shard_truncated_in_the_middle_is_named(tmp_path):
    write_source(tmp_path / "in", ROWS, 2)
    shards = list_shards(tmp_path / "in")
    shards[1].write_bytes(shards[1].read_bytes()[:-200])
    with pytest.raises(ShardError, match=r"part-00001\.parquet: corrupt"):
        deduplicate_table(shards, PARAMS, tmp_path / "out", tmp_path / "state")
    assert not (tmp_path / "out").exists()


def test_a_row_without_content_is_refused(tmp_path):
    write_source(tmp_path / "in", [*ROWS, ROWS[0] | {"content": None}], 1)
    with pytest.raises(ShardError, match="content: found 1 rows without"):
        deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")


def test_a_shard_without_rows_is_an_empty_shard(tmp_path):
    schema = SOURCE_FILE_SCHEMA
    write_table(tmp_path / "in", [schema.empty_table(), pa.Table.from_pylist(ROWS, schema), schema.empty_table()], schema)
    metrics = deduplicate_table(list_shards(tmp_path / "in"), PARAMS, tmp_path / "out", tmp_path / "state")
    assert metrics["rows_out"] == 4
    assert [pa.parquet.read_metadata(path).num_rows for path in list_shards(tmp_path / "out")] == [0, 4, 0]


def test_the_stage_publishes_table_and_metrics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path / "work"))
    Path("params.yaml").write_text(
        "deduplicate_files: {ngram_tokens: 5, n_permutations: 256, jaccard_threshold: 0.7, seed: 1, "
        "wipe_out: {max_dropped_fraction: 0.5, min_files: 20, stop: false}}\n"
    )
    write_source(Path("data/filter_files"), ROWS, 2)
    main()
    assert read_table(Path("data/deduplicate_files")).num_rows == 4
    assert json.loads(Path("metrics/deduplicate_files.json").read_text())["lsh"] == {
        "bands": 25,
        "rows_per_band": 10,
        "recall_at_threshold": 0.51147,
    }

"""Shards and sources on an S3-compatible server: the same bytes as in a folder, and files whole or absent."""

import json
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowcoder.corpus.repository_limits import FileLimits, LeftOut
from snowcoder.corpus.sources import JsonlSource, ParquetSource
from snowcoder.errors import ParameterError, ShardError, SourceError
from snowcoder.pipeline.execution import Run, ShardResult
from snowcoder.storage.files import location
from snowcoder.storage.shards import MANIFEST, list_shards, read_manifest, read_table, write_shard, write_table

LIMITS = FileLimits(max_files_per_repository=10, max_bytes_per_repository=10_000, max_file_bytes=1000, languages=["python"])
SCHEMA = pa.schema([("value", pa.int64())])
TABLES = [pa.table({"value": range(start, start + 10)}, schema=SCHEMA) for start in (0, 10, 20)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto_server = pytest.importorskip("moto.server", reason="needs the extra dev: moto")
    s3fs = pytest.importorskip("s3fs", reason="needs the extra s3")
    pytest.importorskip("upath", reason="needs the extra s3")
    started = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    s3fs.S3FileSystem.clear_instance_cache()  # those of other servers
    yield "http://{}:{}".format(*started.get_host_and_port())
    started.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty bucket."""
    for name, value in (
        ("ENDPOINT_URL", server),
        ("ACCESS_KEY_ID", "test"),
        ("SECRET_ACCESS_KEY", "test"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    name = f"bucket-{uuid.uuid4()}"
    made: Any = location(f"s3://{name}")
    made.fs.mkdir(name)
    return made


def double(table: pa.Table) -> ShardResult:
    return ShardResult({"out": pa.table({"value": [2 * value for value in table["value"].to_pylist()]})}, {"rows": table.num_rows})


def count_then_double(counted: list[int], table: pa.Table) -> ShardResult:
    counted.append(table.num_rows)
    return double(table)


def test_a_table_has_the_same_bytes_there_as_in_a_folder(bucket: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "table", bucket / "deep" / "table"):
        write_table(folder, TABLES, SCHEMA)
    names = [path.name for path in list_shards(bucket / "deep" / "table")]
    assert names == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    for name in (*names, MANIFEST):
        assert (bucket / "deep" / "table" / name).read_bytes() == (tmp_path / "table" / name).read_bytes()
    assert read_table(bucket / "deep" / "table", ["value"]).equals(read_table(tmp_path / "table"))


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_map_shards_reads_and_writes_there_and_goes_on_where_it_was(
    bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", executor)
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    write_table(bucket / "in", TABLES, SCHEMA)
    outputs = {"out": (bucket / "out", SCHEMA)}
    assert Run(bucket / "state", "test").map_shards(double, list_shards(bucket / "in"), outputs) == [{"rows": 10}] * 3
    assert read_table(bucket / "out")["value"].to_pylist() == list(range(0, 60, 2))
    (bucket / "out" / "part-00001.parquet").unlink()
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    counted: list[int] = []
    Run(bucket / "state", "test").map_shards(partial(count_then_double, counted), list_shards(bucket / "in"), outputs)
    assert counted == [10]
    assert read_manifest(bucket / "out")["rows"] == 30


def test_a_changed_and_a_missing_shard_are_found(bucket: Path) -> None:
    write_table(bucket / "in", TABLES, SCHEMA)
    (bucket / "in" / "part-00001.parquet").write_bytes((bucket / "in" / "part-00001.parquet").read_bytes()[:-20])
    with pytest.raises(ShardError, match=r"part-00001\.parquet: corrupt: sha256"):
        read_table(bucket / "in")
    (bucket / "in" / "part-00001.parquet").unlink()
    with pytest.raises(ShardError, match=r"part-00001\.parquet: named in .* but missing"):
        list_shards(bucket / "in")
    with pytest.raises(ShardError, match="not found; the stage that writes"):
        list_shards(bucket / "elsewhere")


def test_a_shard_that_cannot_be_put_leaves_nothing(bucket: Path) -> None:
    missing = location("s3://no-such-bucket-here") / "out"
    with pytest.raises(ShardError, match="cannot be written"):
        write_shard(missing / "part-00000.parquet", TABLES[0], SCHEMA)
    with pytest.raises(ShardError, match="do not match the schema"):
        write_shard(bucket / "out" / "part-00000.parquet", pa.table({"other": [1]}), SCHEMA)
    assert list((bucket / "out").glob("*")) == []


def test_parquet_and_json_lines_are_read_from_there(bucket: Path, tmp_path: Path) -> None:
    rows = [{"content": f"value = {number}\n", "repository": "owner/name", "path": f"file_{number}.py"} for number in range(5)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    (bucket / "parquet" / "a" / "rows.parquet").write_bytes((tmp_path / "rows.parquet").read_bytes())
    (bucket / "jsonl" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"content": "content", "repository": "repository", "path": "path"}
    for model, kind in ((ParquetSource, "parquet"), (JsonlSource, "jsonl")):
        source = model.model_validate({"kind": kind, "path": str(bucket / kind), "columns": columns, "max_rows": None})
        files = list(source.files(LIMITS, None, tmp_path, skipped := LeftOut()))
        assert [file.content for file in files] == [row["content"] for row in rows], kind
        assert not skipped
        nothing = source.model_copy(update={"path": str(bucket / "empty")})
        with pytest.raises(SourceError, match="no file that ends in"):
            list(nothing.files(LIMITS, None, tmp_path, LeftOut()))


def test_without_its_packages_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "upath", None)
    with pytest.raises(ParameterError, match=r"s3://bucket/folder.*\[s3\]"):
        location("s3://bucket/folder")
    assert location("data/folder") == Path("data/folder")

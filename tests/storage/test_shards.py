"""Data folders: the same rows come back, the same rows give the same bytes, damage is reported."""

import errno
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ShardError
from snowcoder.storage import files, shards

SCHEMA = pa.schema([("file_id", pa.string()), ("n_bytes", pa.int64())])


def table(*ids: str) -> pa.Table:
    return pa.Table.from_pylist([{"file_id": name, "n_bytes": len(name)} for name in ids], schema=SCHEMA)


@given(parts=st.lists(st.lists(st.text(max_size=5), max_size=4), min_size=1, max_size=3))
def test_rows_come_back_in_order(tmp_path_factory: pytest.TempPathFactory, parts: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("table")
    shards.write_table(folder, [table(*names) for names in parts], SCHEMA)
    assert [row["file_id"] for row in shards.iterate_rows(folder)] == [name for names in parts for name in names]
    assert shards.read_manifest(folder)["rows"] == sum(map(len, parts))


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shards.write_table(tmp_path / name, [table("a", "b")], SCHEMA)
    assert [path.read_bytes() for path in sorted((tmp_path / "one").iterdir())] == [
        path.read_bytes() for path in sorted((tmp_path / "two").iterdir())
    ]


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    shards.write_table(tmp_path, [table("a", "b")], SCHEMA)
    path = tmp_path / "part-00000.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ShardError, match=r"part-00000\.parquet: corrupt.*dvc checkout"):
        shards.read_table(tmp_path)


def test_a_shard_cut_off_in_the_middle_is_found(tmp_path: Path) -> None:
    shards.write_table(tmp_path, [table("a", "b"), table("c")], SCHEMA)
    path = tmp_path / "part-00001.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ShardError, match=r"part-00001\.parquet: corrupt.*dvc checkout"):
        shards.read_table(tmp_path)


def test_a_missing_shard_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    shards.write_table(tmp_path / "data", [table("a")], SCHEMA)
    (tmp_path / "data" / "part-00000.parquet").unlink()
    with pytest.raises(ShardError, match=r"part-00000\.parquet: named in .* but missing"):
        shards.list_shards(tmp_path / "data")
    with pytest.raises(ShardError, match="has not run"):
        shards.list_shards(tmp_path / "nowhere")


def test_columns_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="do not match the schema"):
        shards.write_shard(tmp_path / "x.parquet", pa.table({"other": [1]}), SCHEMA)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "fsync", full)
    with pytest.raises(ShardError, match="free disk space, then run again"):
        shards.write_shard(tmp_path / "part-00000.parquet", table("a"), SCHEMA)
    assert list(tmp_path.iterdir()) == []

"""Data folders: shards of Parquet with a manifest.

A table is a folder of `part-00000.parquet`, `part-00001.parquet`, … and `manifest.json`:
  {"schema": [[column, type], …], "rows": total, "shards": [{"name", "rows", "n_bytes", "sha256"}, …]}
A stage's folder may hold further tables as subfolders (`rejected/`, `ledger/`). Rows keep the order in which they were written; every
reader sees the same shards in the same order. Writing is atomic: temporary name, fsync, rename. Reading checks the hash.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snowcoder.errors import ShardError
from snowcoder.storage.files import is_remote, sha256_file, write_json, written_whole

MANIFEST = "manifest.json"


def shard_name(index: int) -> str:
    """File name of shard number `index`."""
    return f"part-{index:05d}.parquet"


def write_table(folder: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write one shard per table of `tables`, then the manifest."""
    for index, table in enumerate(tables):
        write_shard(folder / shard_name(index), table, schema)
    write_manifest(folder, schema)


def write_shard(path: Path, table: pa.Table, schema: pa.Schema) -> None:
    """Write one Parquet file of exactly `schema`, atomically. Raises ShardError if the columns do not fit."""
    try:
        table = table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowInvalid, ValueError) as error:
        raise ShardError(f"{path}: columns {table.schema.names} do not match the schema {schema.names}: {error}") from error
    try:
        with written_whole(path) as partial:
            pq.write_table(table, partial, compression="zstd", store_schema=False)
    except OSError as error:
        raise ShardError(f"{path}: cannot be written: {error}; free disk space, then run again: finished shards are kept") from error


def write_manifest(folder: Path, schema: pa.Schema) -> None:
    """Describe the shards in `folder`."""
    paths = sorted(folder.glob("part-*.parquet"))
    shards = [{"name": path.name, "rows": _count_rows(path), "n_bytes": path.stat().st_size, "sha256": sha256_file(path)} for path in paths]
    columns = [[field.name, str(field.type)] for field in schema]
    write_json(folder / MANIFEST, {"schema": columns, "rows": sum(shard["rows"] for shard in shards), "shards": shards})


def list_shards(folder: Path) -> list[Path]:
    """Paths of the shards of a table, in order. Raises ShardError if the manifest is missing or a shard is."""
    manifest = read_manifest(folder)
    paths = [folder / shard["name"] for shard in manifest["shards"]]
    for path in paths:
        if not path.exists():
            raise ShardError(f"{path}: named in {folder / MANIFEST} but missing; run `dvc checkout {folder}` or `dvc repro -f`")
    return paths


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a table."""
    try:
        return json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise ShardError(f"{folder / MANIFEST}: not found; the stage that writes {folder} has not run: `dvc repro`") from error
    except json.JSONDecodeError as error:
        raise ShardError(f"{folder / MANIFEST}: not valid JSON ({error}); run `dvc checkout {folder}`") from error


def read_shard(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """One shard, its bytes checked against the manifest. Raises ShardError if it is corrupt or lacks a column."""
    expected = {shard["name"]: shard["sha256"] for shard in read_manifest(path.parent)["shards"]}
    content = path.read_bytes() if is_remote(path) else None
    found = sha256_file(path) if content is None else hashlib.sha256(content).hexdigest()
    if expected.get(path.name) != found:
        raise ShardError(
            f"{path}: corrupt: sha256 {found}, the manifest says {expected.get(path.name)}; "
            f"delete the file and run `dvc checkout {path.parent}`, or `dvc repro -f` of the stage that writes it"
        )
    try:
        # not pq.read_table: for the same rows it imports pyarrow.dataset, a fifth of a second of a process
        with pq.ParquetFile(path if content is None else pa.BufferReader(content)) as file:
            missing = set(columns or ()) - set(file.schema_arrow.names)
            if missing:
                found_names = ", ".join(file.schema_arrow.names)
                raise ShardError(f"{path}: cannot be read: no column {', '.join(sorted(missing))}; found {found_names}")
            return file.read(list(columns) if columns is not None else None)
    except pa.ArrowInvalid as error:
        raise ShardError(f"{path}: cannot be read: {error}") from error


def read_table(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All shards of a table as one Arrow table, in order."""
    return pa.concat_tables([read_shard(path, columns) for path in list_shards(folder)])


def iterate_rows(folder: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a table as dicts, a shard in memory at a time."""
    for path in list_shards(folder):
        yield from read_shard(path, columns).to_pylist()


def _count_rows(path: Path) -> int:
    with path.open("rb") as file:
        return int(pq.read_metadata(file).num_rows)

"""Writes rows in the form that each kind of source reads, and fetches them with limits that keep them all."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snowcoder.corpus.sources import FetchCorpusParams, fetch_files
from snowcoder.pipeline.params import validate
from snowcoder.storage.shards import read_table

LIMITS = {
    "shards": 1,
    "max_files_per_repository": 100,
    "max_bytes_per_repository": 100_000,
    "max_file_bytes": 10_000,
    "languages": ["python", "cpp"],
}
KINDS = ("jsonl", "parquet", "huggingface")


def write_source(folder: Path, kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows in one file of that kind; the keys of a source that name it."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "jsonl":
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return {"kind": kind, "path": str(folder / "rows.jsonl")}
    name = "rows.parquet" if kind == "parquet" else "train-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return {"kind": kind, "path": str(folder / name)} if kind == "parquet" else {"kind": kind, "dataset": str(folder), "revision": None}


def fetch(source: dict[str, Any] | str, folder: Path, **changes: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(metrics, files by repository and path) of a source."""
    params = validate({"source": source, **LIMITS, **changes}, FetchCorpusParams, "fetch_corpus")
    metrics = fetch_files(params, folder / "out", folder / "downloads")
    return metrics, sorted(read_table(folder / "out").to_pylist(), key=lambda file: (file["repository"], file["path"]))

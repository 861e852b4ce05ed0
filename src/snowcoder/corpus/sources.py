"""Where raw files come from: one parameter model per kind of source, and the function that turns it into files.

in: FetchCorpusParams  out: SourceFile rows in shards of SOURCE_FILE_SCHEMA: a file is in shard int(file_id[:8], 16) % shards, sorted by
file_id there, so that adding a repository moves no other file.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from snowcoder.corpus.selection import FileLimits
from snowcoder.corpus.wheels import download_wheels, iterate_wheel_files
from snowcoder.errors import EmptyResultError
from snowcoder.params import ParamsModel
from snowcoder.records import SOURCE_FILE_SCHEMA, SourceFile
from snowcoder.shards import write_table


class WheelSource(ParamsModel):
    """Wheels of the package index, pinned by hash.

    lock: pip requirements file with hashes. table: CSV with licence and rank of each; see snowcoder.corpus.wheel_table.
    """

    kind: Literal["wheels"]
    lock: str
    table: str

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: Counter[str]) -> Iterator[SourceFile]:
        """Files within `limits`; what is left out is counted by reason in `skipped`. `downloads`: folder kept between runs."""
        wheels = download_wheels(Path(self.lock), downloads / "wheels", only)
        return iterate_wheel_files(wheels, Path(self.table), limits, skipped)


class FetchCorpusParams(FileLimits):
    """What the raw corpus is made of.

    shards: number of Parquet files. only_repositories: names to take instead of all of the source's, for small runs.
    """

    source: WheelSource
    shards: int = Field(gt=0, le=100_000)
    only_repositories: list[str] | None = Field(default=None, min_length=1)


def fetch_files(params: FetchCorpusParams, folder: Path, downloads: Path) -> dict[str, Any]:
    """Write the corpus' shards to `folder`; return the stage's metrics. Raises SourceError, or EmptyResultError if nothing is left."""
    skipped: Counter[str] = Counter()
    files = list(params.source.files(params, params.only_repositories, downloads, skipped))
    if not files:
        raise EmptyResultError(f"fetch_corpus: no file is left (left out: {dict(skipped)}); widen languages or the limits in params.yaml")
    write_table(folder, (_shard_table(files, index, params.shards) for index in range(params.shards)), SOURCE_FILE_SCHEMA)
    repositories = {file.repository for file in files}
    return {"rows_out": len(files), "by_language": count_by_language(files), "repositories": len(repositories), "skipped": dict(skipped)}


def shard_of(file_id: str, shards: int) -> int:
    """Index of the shard that a file belongs to."""
    return int(file_id[:8], 16) % shards


def count_by_language(files: list[SourceFile]) -> dict[str, dict[str, int]]:
    """{language: {files, bytes}}."""
    counts: dict[str, dict[str, int]] = {}
    for file in files:
        count = counts.setdefault(file.language, {"files": 0, "bytes": 0})
        count["files"] += 1
        count["bytes"] += file.n_bytes
    return counts


def _shard_table(files: list[SourceFile], index: int, shards: int) -> pa.Table:
    rows = sorted((file for file in files if shard_of(file.file_id, shards) == index), key=lambda file: file.file_id)
    return pa.Table.from_pylist([file.row() for file in rows], SOURCE_FILE_SCHEMA)

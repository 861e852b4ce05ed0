"""Reads raw files from the configured source: one parameter model per kind of source, and the function that opens it.

in: FetchCorpusParams  out: SourceFile rows in shards of SOURCE_FILE_SCHEMA: a file is in shard int(file_id[:8], 16) % shards, sorted by
file_id there, so that adding a repository moves no other file. Memory is bounded by a shard, not by the corpus.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import pyarrow as pa
from pydantic import Field, ValidationInfo, field_validator, model_validator

from snowcoder.corpus.directory import iterate_directory
from snowcoder.corpus.huggingface import read_dataset
from snowcoder.corpus.jsonl import ENDINGS as JSON_ENDINGS
from snowcoder.corpus.jsonl import read_jsonl
from snowcoder.corpus.left_out_report import empty_message, left_out_lines, left_out_metrics
from snowcoder.corpus.parquet import ENDINGS as PARQUET_ENDINGS
from snowcoder.corpus.parquet import read_parquet
from snowcoder.corpus.reading import FileOrigin
from snowcoder.corpus.repository_limits import FileLimits, LeftOut
from snowcoder.corpus.rows import RowSource, files_of_rows, limit_repositories
from snowcoder.corpus.source_paths import source_path
from snowcoder.corpus.spool import Spool
from snowcoder.corpus.wheels import download_wheels, iterate_wheel_files
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import ExistingPath, ParamsModel
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, SourceFile
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import write_table


class Source(Protocol):
    """What every kind of source can do."""

    def inputs(self) -> list[Path]:
        """Small files whose content is part of the result's identity."""

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: LeftOut) -> Iterator[SourceFile]:
        """Files within `limits`; `skipped` counts what is left out, and all that was seen. `downloads`: folder kept between runs."""


class WheelSource(ParamsModel):
    """Wheels of the package index, pinned by hash."""

    kind: Literal["wheels"]
    """Wheels of the package index."""
    lock: ExistingPath
    """Requirements file of pip with hashes."""
    table: ExistingPath
    """CSV with licence and rank of each package (snowcoder.corpus.wheel_table)."""

    def inputs(self) -> list[Path]:
        return [source_path(self.lock), source_path(self.table)]

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: LeftOut) -> Iterator[SourceFile]:
        wheels = download_wheels(source_path(self.lock), downloads / "wheels", only)
        return iterate_wheel_files(wheels, source_path(self.table), limits, skipped)


class DirectorySource(ParamsModel):
    """A folder of repositories."""

    kind: Literal["directory"]
    """A folder of repositories."""
    path: ExistingPath
    """The folder."""
    depth: int = Field(default=1, ge=0, le=4)
    """Levels from `path` to a repository: 0: `path` itself, 1: names, 2: owner/name."""

    def inputs(self) -> list[Path]:
        return []

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: LeftOut) -> Iterator[SourceFile]:
        return iterate_directory(source_path(self.path), self.depth, limits, only, skipped)


class JsonlSource(RowSource):
    """JSON lines or arrays, plain or compressed."""

    kind: Literal["jsonl"]
    """JSON lines or arrays, plain or compressed."""
    path: ExistingPath
    """A file or a folder of them, also as a URL (`s3://bucket/folder`)."""

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: LeftOut) -> Iterator[SourceFile]:
        rows = read_jsonl(source_path(self.path, JSON_ENDINGS), self.layout, limits.max_file_bytes, skipped)
        files = files_of_rows(rows, self, FileOrigin(self.kind, "", "", ""), self.path, limits, skipped)
        return limit_repositories(files, limits, only, downloads, skipped)


class ParquetSource(RowSource):
    """Parquet files."""

    kind: Literal["parquet"]
    """Parquet files."""
    path: ExistingPath
    """A file or a folder of them, also as a URL (`s3://bucket/folder`)."""

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: LeftOut) -> Iterator[SourceFile]:
        rows = read_parquet(source_path(self.path, PARQUET_ENDINGS), self.layout, skipped)
        files = files_of_rows(rows, self, FileOrigin(self.kind, "", "", ""), self.path, limits, skipped)
        return limit_repositories(files, limits, only, downloads, skipped)


class HuggingFaceSource(RowSource):
    """A data set of the Hugging Face hub, streamed."""

    kind: Literal["huggingface"]
    """A data set of the Hugging Face hub, streamed."""
    dataset: str
    """owner/name, or a folder in the hub's layout."""
    revision: str | None
    """The commit (40 hex digits); null only for a folder."""
    configuration: str | None = None
    """The data set's configuration; null for its only one."""
    folder: str | None = None
    """A folder of the data set's repository, such as `data/python`; null: all."""
    split: str = "train"
    """The data set's split."""

    @model_validator(mode="after")
    def _check(self) -> "HuggingFaceSource":
        if not re.fullmatch(r"[0-9a-f]{40}", self.revision or "") and not (self.revision is None and source_path(self.dataset).is_dir()):
            found = f"revision: found {self.revision!r}; allowed: a commit of 40 hex digits"
            raise ValueError(f"{found}, because a branch's files change; null only for a local folder")
        return self

    def files(self, limits: FileLimits, only: list[str] | None, downloads: Path, skipped: LeftOut) -> Iterator[SourceFile]:
        dataset = str(source_path(self.dataset)) if self.revision is None else self.dataset
        rows = read_dataset(dataset, self.revision, self.configuration, self.folder, self.split, self.layout)
        files = files_of_rows(rows, self, FileOrigin(self.kind, "", "", self.revision or ""), self.dataset, limits, skipped)
        return limit_repositories(files, limits, only, downloads, skipped)


AnyRowSource = Annotated[JsonlSource | ParquetSource | HuggingFaceSource, Field(discriminator="kind")]
AnySource = Annotated[WheelSource | DirectorySource | JsonlSource | ParquetSource | HuggingFaceSource, Field(discriminator="kind")]


class FetchCorpusParams(FileLimits):
    """What the raw corpus is made of."""

    sources: dict[str, AnySource] = Field(default_factory=dict, exclude=True)
    """Sources that `source` can name; only the chosen one is part of the result's identity."""
    source: AnySource
    """A name of `sources`, or a source itself."""
    shards: int = Field(gt=0, le=100_000)
    """Number of Parquet files."""
    only_repositories: list[str] | None = Field(default=None, min_length=1)
    """Repositories to take instead of all of the source's, for small runs; null: all."""

    @field_validator("source", mode="before")
    @classmethod
    def _chosen(cls, source: Any, info: ValidationInfo) -> Any:
        """A name as the source that it names: in params.yaml `dvc exp run -S` replaces a name whole, where it would merge a mapping."""
        if not isinstance(source, str):
            return source
        sources = info.data.get("sources")
        if sources is None:
            raise ValueError(f"found {source!r}, the name of a source that is itself invalid; allowed: the name of a valid source")
        if source not in sources:
            names = ", ".join(sources) or "which is empty"
            raise ValueError(f"found {source!r}; allowed: a name of sources ({names}), or a mapping with its kind")
        return sources[source]


def fetch_files(params: FetchCorpusParams, folder: Path, downloads: Path) -> dict[str, Any]:
    """Write the corpus' shards to `folder`; return the stage's metrics. Raises SourceError, or EmptyResultError if nothing is left."""
    skipped = LeftOut()
    by_language: dict[str, dict[str, int]] = {}
    repositories = set()
    unit = "rows" if isinstance(params.source, RowSource) else "files"
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads, prefix=".spool-") as scratch:
        spool = Spool(Path(scratch))
        for file in params.source.files(params, params.only_repositories, downloads, skipped):
            spool.add(shard_of(file.file_id, params.shards), file)
            repositories.add(file.repository)
            counts = by_language.setdefault(file.language, {"files": 0, "bytes": 0})
            counts["files"] += 1
            counts["bytes"] += file.n_bytes
        if not repositories:
            raise EmptyResultError(empty_message(skipped, "fetch_corpus", unit))
        write_table(folder, (_shard_table(spool.read(index)) for index in range(params.shards)), SOURCE_FILE_SCHEMA)
    for line in left_out_lines(skipped, "fetch_corpus", unit):
        say(line)
    n_files = sum(counts["files"] for counts in by_language.values())
    accounts = row_accounts(skipped.n_seen, n_files, +skipped)
    return {**accounts, **left_out_metrics(skipped), "by_language": by_language, "repositories": len(repositories)}


def shard_of(file_id: str, shards: int) -> int:
    """Index of the shard that a file belongs to."""
    return int(file_id[:8], 16) % shards


def _shard_table(files: Iterable[SourceFile]) -> pa.Table:
    return pa.Table.from_pylist([file.row() for file in sorted(files, key=lambda file: file.file_id)], SOURCE_FILE_SCHEMA)

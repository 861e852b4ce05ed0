"""Defines the records that cross stage borders, as Arrow schemas.

SourceFile is one raw code file. Later stages add columns and drop rows; they never rewrite `content` (except for the masking in
filter_files). `file_id` is stable: it hashes source kind, repository, revision and path, never a position.
"""

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One raw code file.

    popularity: higher is more popular, 0.0 where unknown; for wheels 1 / download_rank.
    download_rank: rank of the distribution by downloads, 1 = most downloaded; None where unknown or not a distribution.
    revision: version of the distribution, or commit of the repository.
    """

    file_id: str
    repository: str
    path: str
    language: str
    content: str
    n_bytes: int
    licence: str
    popularity: float
    download_rank: int | None
    revision: str
    content_sha256: str

    def row(self) -> dict[str, Any]:
        """The record as a row of SOURCE_FILE_SCHEMA."""
        return asdict(self)


_NOT_TEXT = {"n_bytes": pa.int64(), "popularity": pa.float64(), "download_rank": pa.int32()}
SOURCE_FILE_SCHEMA = pa.schema([(field.name, _NOT_TEXT.get(field.name, pa.string())) for field in fields(SourceFile)])


def text_columns(*names: str) -> list[tuple[str, pa.DataType]]:
    """Columns of text, for a schema."""
    return [(name, pa.string()) for name in names]


def make_file_id(source: str, repository: str, revision: str, path: str) -> str:
    """Stable identity of a file: 32 hex digits of sha256 over its origin."""
    return hashlib.sha256("\0".join((source, repository, revision, path)).encode()).hexdigest()[:32]


def make_source_file(
    *,
    source: str,
    repository: str,
    path: str,
    language: str,
    content: str,
    licence: str,
    download_rank: int | None,
    revision: str,
    popularity: float | None = None,
) -> SourceFile:
    """A SourceFile with its derived fields (file_id, n_bytes, content_sha256; popularity unless it is given) filled in."""
    encoded = content.encode()
    return SourceFile(
        file_id=make_file_id(source, repository, revision, path),
        repository=repository,
        path=path,
        language=language,
        content=content,
        n_bytes=len(encoded),
        licence=licence,
        popularity=popularity if popularity is not None else 1.0 / download_rank if download_rank else 0.0,
        download_rank=download_rank,
        revision=revision,
        content_sha256=hashlib.sha256(encoded).hexdigest(),
    )

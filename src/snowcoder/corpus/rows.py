"""Rows of somebody else's data set as SourceFile rows: a mapping of columns, and limits per repository although rows come in any order.

in: rows as dicts  out: SourceFile rows within the limits, by repository and path. Beside the reasons of snowcoder.corpus.reading a row can
be left out as no_content (null or not text), duplicate_id (the same repository, revision and path again: the one with the smallest hash of
its content stays), repository_not_taken, and for the limits. Every row read is a file or is counted.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from snowcoder.corpus.instructions import fenced_code, with_statement
from snowcoder.corpus.languages import LANGUAGES, language_of, name_language
from snowcoder.corpus.manifests import licence_of_value
from snowcoder.corpus.reading import Origin, decode, make_candidate, refuse_name
from snowcoder.corpus.selection import FileLimits, LeftOut, take_within_limits
from snowcoder.corpus.spool import Spool
from snowcoder.errors import SourceError
from snowcoder.params import ParamsModel
from snowcoder.records import SourceFile

BUCKETS = 64


class Columns(ParamsModel):
    """Names of a data set's columns; null for what it does not have.

    content: text or bytes. repository: a row without one is a repository of its own. path: without it, a name is made from the content's
    hash. language: as the data set calls it; without it, told from path and content. licence: SPDX, a name, or a list of which all hold
    (see snowcoder.licence_class). popularity: a number, higher is more popular. revision: without it, the data set's. statement: of
    instruction data, what the content answers; it is put before the content (see snowcoder.corpus.instructions).
    """

    content: str = "content"
    repository: str | None = None
    path: str | None = None
    language: str | None = None
    licence: str | None = None
    popularity: str | None = None
    revision: str | None = None
    statement: str | None = None

    @property
    def named(self) -> list[str]:
        """The columns that must be there."""
        return [name for name in self.model_dump().values() if name is not None]


class RowSource(ParamsModel):
    """What sources of rows have in common.

    max_rows: rows to read, for small runs; null: all. language: of the rows whose language nothing else tells; null: they are left out.
    markdown: contents are answers in markdown; what stands in their code fences is the file.
    """

    columns: Columns
    max_rows: int | None = Field(default=None, gt=0)
    language: str | None = None
    markdown: bool = False

    @field_validator("language")
    @classmethod
    def _known(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise ValueError(f"found {language!r}; allowed: {', '.join(LANGUAGES)}, or null")
        return language


def check_columns(columns: Columns, found: Iterable[str], where: str) -> None:
    """Raises SourceError naming the columns that are not there."""
    there = sorted(found)
    missing = [name for name in columns.named if name not in there]
    if missing:
        raise SourceError(f"{where}: columns missing: {', '.join(missing)}; found: {', '.join(there)}; mend fetch_corpus.source.columns")


def files_of_rows(
    rows: Iterable[Mapping[str, Any] | str], source: RowSource, kind: str, revision: str, limits: FileLimits, skipped: LeftOut
) -> Iterator[SourceFile]:
    """Files of `rows`, in their order; limits on a single file alone. A row that is text is the reason why there is none."""
    for row in rows:
        skipped.n_seen += 1
        file = row if isinstance(row, str) else file_of_row(row, source, kind, revision, limits)
        if isinstance(file, str):
            skipped[file] += 1
        else:
            yield file


def file_of_row(row: Mapping[str, Any], source: RowSource, kind: str, revision: str, limits: FileLimits) -> SourceFile | str:
    """One row as a file, or the reason to leave it out."""
    columns = source.columns
    raw = row.get(columns.content)
    content = decode(raw) if isinstance(raw, bytes) else raw
    if not isinstance(content, str):
        return "not_utf8" if isinstance(raw, bytes) else "no_content"
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    language = None
    if columns.language is not None:
        language = name_language(_text(row, columns.language))
        if language is None:
            return "language_not_taken"
    path = _text(row, columns.path) or digest[:16]
    if source.markdown:
        content, told = fenced_code(content)
        language = language or told
    language = language or language_of(path, content) or source.language
    if columns.statement is not None:
        content = with_statement(_text(row, columns.statement), content, language)
    reason = refuse_name(path, len(content), limits)
    if reason is not None and not (reason == "language_not_taken" and language is not None):
        return reason
    origin = Origin(
        source=kind,
        repository=_text(row, columns.repository) or f"unknown/{digest[:16]}",
        licence=licence_of_value(row.get(columns.licence) if columns.licence is not None else None),
        revision=_text(row, columns.revision) or revision,
        popularity=_number(row, columns.popularity),
    )
    return make_candidate(origin, path, content, limits, language)


def limit_repositories(
    files: Iterable[SourceFile], limits: FileLimits, only: list[str] | None, scratch: Path, skipped: Counter[str]
) -> Iterator[SourceFile]:
    """The files that the limits on a repository leave, by bucket, repository and path. scratch: folder for what memory does not hold."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".spool-") as folder:
        spool = Spool(Path(folder))
        for file in files:
            if only is not None and file.repository not in only:
                skipped["repository_not_taken"] += 1
            else:
                spool.add(int(hashlib.sha256(file.repository.encode()).hexdigest()[:8], 16) % BUCKETS, file)
        for bucket in range(BUCKETS):
            repositories: dict[str, dict[str, SourceFile]] = {}
            for file in sorted(spool.read(bucket), key=lambda file: (file.repository, file.file_id, file.content_sha256)):
                if repositories.setdefault(file.repository, {}).setdefault(file.file_id, file) is not file:
                    skipped["duplicate_id"] += 1
            for _, candidates in sorted(repositories.items()):
                taken, left_out = take_within_limits(candidates.values(), limits)
                skipped.update(left_out)
                yield from taken


def _text(row: Mapping[str, Any], column: str | None) -> str:
    value = row.get(column) if column is not None else None
    return "" if value is None else str(value)


def _number(row: Mapping[str, Any], column: str | None) -> float | None:
    value = row.get(column) if column is not None else None
    return float(value) if isinstance(value, int | float) else None

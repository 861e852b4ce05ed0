"""Turns the rows of a data set into SourceFile rows: maps the columns, and limits each repository although rows come in any order.

in: rows as dicts  out: SourceFile rows within the limits, by repository and path. Next to the reasons of snowcoder.corpus.reading a row can
be left out as no_content (null or not text), no_files (a repository without any), malformed_value (a column that should be one text holds
something else), language_unknown (nothing tells the language), unsafe_repository (a name with control characters), not_sampled,
duplicate_id (the same repository, revision and path again: the one with the smallest content hash stays), repository_not_taken, and
for the limits. Every row read is a file or is counted. A popularity that is not finite or below 0 counts as unknown. A first line of
metadata that StarCoder's data have before the code (bigcode-dataset, add_content_with_meta.py) is not part of the file.
"""

import hashlib
import math
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from snowcoder.corpus.columns import Columns, Layout, Sightings
from snowcoder.corpus.instructions import fenced_code, with_statement
from snowcoder.corpus.manifests import licence_of_value
from snowcoder.corpus.reading import FileOrigin, decode, is_one_line, make_candidate, plain_path, refuse_name
from snowcoder.corpus.repository_limits import FileLimits, LeftOut, Refused, take_within_limits
from snowcoder.corpus.spool import Spool
from snowcoder.pipeline.params import ParamsModel
from snowcoder.seeding import unit_hash
from snowcoder.source_files.languages import LANGUAGES, language_of, name_language
from snowcoder.source_files.records import SourceFile
from snowcoder.source_files.repository_families import NO_OWNER

BUCKETS = 64
_METADATA_LINE = re.compile(r"(?=<)(?:<reponame>[^<\n]+)?(?:<filename>[^<\n]+)?(?:<gh_stars>[\d+-]+)?\n")
_NAMES = ("repository", "path", "language", "revision", "licence", "statement")


class RowSample(ParamsModel):
    """A part of the repositories, each with all its files; with the same seed, a larger fraction holds all of a smaller one."""

    fraction: float = Field(gt=0, le=1)
    """Expected share of the repositories (not of the rows); a row without a repository is one by itself."""
    seed: int
    """Seed of the hash that chooses them."""

    def takes(self, repository: str) -> bool:
        """Whether a repository is in the sample, whatever others there are."""
        return unit_hash(self.seed, "sample", repository) < self.fraction


class RowSource(ParamsModel):
    """What sources of rows have in common."""

    columns: Columns
    """Which columns hold what."""
    max_rows: int | None = Field(default=None, gt=0)
    """Rows to read, from the first, for small runs; null: all."""
    language: str | None = None
    """Language of rows whose language is otherwise unknown; null: they are left out."""
    markdown: bool = False
    """Whether contents are answers in markdown, whose code fences hold the file."""
    rows: str | None = None
    """The column that holds a list of files where a row is a repository (snowcoder.corpus.columns); null: a row is a file."""
    sample: RowSample | None = None
    """A part of the repositories of the rows that are read; null: all."""

    @property
    def layout(self) -> Layout:
        """How this source's rows are read."""
        return Layout(self.columns, self.rows)

    def inputs(self) -> list[Path]:
        """Small files whose content is part of the result's identity: none."""
        return []

    @field_validator("language")
    @classmethod
    def _known(cls, language: str | None) -> str | None:
        name = language if language is None else name_language(language)
        if language is not None and name is None:
            raise ValueError(f"found {language!r}; allowed: {', '.join(LANGUAGES)}, their usual names and extensions, or null")
        return name


def files_of_rows(
    rows: Iterable[Mapping[str, Any] | Refused], source: RowSource, origin: FileOrigin, where: str, limits: FileLimits, skipped: LeftOut
) -> Iterator[SourceFile]:
    """Files of `rows`, in their order; limits on a single file alone. where: of the rows, for messages.

    Raises SourceError if no row has the content.
    """
    layout = source.layout
    sightings = Sightings(layout, where)
    for row in islice(rows, source.max_rows):
        mapped: list[dict[str, Any] | Refused] = [row] if isinstance(row, Refused) else list(layout.files(row))
        if not isinstance(row, Refused):
            sightings.add(row, mapped)
        for values in mapped:
            skipped.n_seen += 1
            file = values if isinstance(values, Refused) else file_of_row(values, source, origin, limits, skipped)
            if isinstance(file, Refused):
                skipped.leave_out(file)
            else:
                yield file
    sightings.finish(skipped)


def file_of_row(
    values: Mapping[str, Any], source: RowSource, origin: FileOrigin, limits: FileLimits, skipped: LeftOut
) -> SourceFile | Refused:
    """One file, or the reason to leave it out. values: by the keys of Columns. origin: what holds where the row says nothing else."""
    names = _names(values)
    if isinstance(names, Refused):
        return names
    raw = values.get("content")
    content = decode(raw) if isinstance(raw, bytes) else raw
    if not isinstance(content, str):
        return Refused("not_utf8" if isinstance(raw, bytes) else "no_content", names["path"] or names["repository"])
    metadata = _METADATA_LINE.match(content)
    content = content[metadata.end() :] if metadata else content
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    repository = names["repository"] or f"{NO_OWNER}/{digest[:16]}"
    if not is_one_line(repository):
        return Refused("unsafe_repository", repository)
    if source.sample is not None and not source.sample.takes(repository):
        return Refused("not_sampled")
    path = plain_path(names["path"]) if names["path"] else digest[:16]
    content, language = _code_and_language(content, path, names, source)
    if isinstance(language, Refused):
        return language
    refused = refuse_name(path, len(content), limits, language)
    if refused is not None:
        return refused
    popularity = _popularity(values.get("popularity"), skipped)
    revision = names["revision"] or origin.revision
    origin = replace(origin, repository=repository, licence=names["licence"], revision=revision, popularity=popularity)
    return make_candidate(origin, path, content, limits, language)


def limit_repositories(
    files: Iterable[SourceFile], limits: FileLimits, only: list[str] | None, scratch: Path, skipped: LeftOut
) -> Iterator[SourceFile]:
    """The files that the limits on a repository leave, by bucket, repository and path. scratch: folder for what memory does not hold."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".spool-") as folder:
        spool = Spool(Path(folder))
        unseen = set(only or ())
        for file in files:
            if only is not None and file.repository not in only:
                skipped.leave_out(Refused("repository_not_taken", file.repository))
            else:
                unseen.discard(file.repository)
                spool.add(int(hashlib.sha256(file.repository.encode()).hexdigest()[:8], 16) % BUCKETS, file)
        if unseen:
            skipped.notes.append(
                f"only_repositories: no file of {', '.join(sorted(unseen))} was found; names must be written as in the data"
            )
        for bucket in range(BUCKETS):
            repositories: dict[str, dict[str, SourceFile]] = {}
            for file in sorted(spool.read(bucket), key=lambda file: (file.repository, file.file_id, file.content_sha256)):
                if repositories.setdefault(file.repository, {}).setdefault(file.file_id, file) is not file:
                    skipped.leave_out(Refused("duplicate_id", f"{file.repository}/{file.path}"))
            for _, candidates in sorted(repositories.items()):
                taken, left_out = take_within_limits(candidates.values(), limits)
                skipped.update(left_out)
                yield from taken


def _code_and_language(content: str, path: str, names: Mapping[str, str], source: RowSource) -> tuple[str, str | Refused | None]:
    """The code in a row's content, and its language; None if only the path can rule one out."""
    language = name_language(names["language"])
    if names["language"] and language is None:
        return content, Refused("language_not_taken", names["language"])
    if source.markdown:
        content, of_fence = fenced_code(content)
        language = language or of_fence
    language = language or language_of(path, content) or source.language
    if language is None and not names["path"]:
        return content, Refused("language_unknown", content.lstrip().split("\n", 1)[0])
    if names["statement"]:
        content = with_statement(names["statement"], content, language)
    return content, language


def _names(values: Mapping[str, Any]) -> dict[str, str] | Refused:
    """The columns that are a line of text, empty where there is none; a licence may also be a list or an object."""
    names = {}
    for key in _NAMES:
        value = _as_text(values.get(key))
        if key == "licence":
            value = _licence(value)
        elif isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], str):
            value = value[0]
        if isinstance(value, bytes):
            return Refused("not_utf8", f"columns.{key}: {value!r}")
        if isinstance(value, dict | list | tuple):
            return Refused("malformed_value", f"columns.{key}: {type(value).__name__}")
        is_null = value is None or (isinstance(value, float) and math.isnan(value))  # pandas writes NaN for what is not there
        names[key] = "" if is_null else str(value)
        if not _is_unicode(names[key]):
            return Refused("lone_surrogate", f"columns.{key}: {names[key]!a}")
    return names


def _licence(value: Any) -> Any:
    """The expression of a text, an object or a list of such; any other value as it is, and an object or list that names no licence."""
    members = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(member, str | dict) for member in members):
        return value
    if all(isinstance(member, dict) and not any(member.values()) for member in members):
        return ""  # how some writers of Parquet have an object that is null
    try:
        return licence_of_value(value) or value or ""
    except RecursionError:
        return value


def _as_text(value: Any) -> Any:
    """Bytes as text, where they are UTF-8: some writers of Parquet mark no column as text."""
    if isinstance(value, list | tuple):
        return [_as_text(part) if isinstance(part, bytes) else part for part in value]
    text = decode(value) if isinstance(value, bytes) else None
    return value if text is None else text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as a JSON file may hold it
        return False
    return True


def _popularity(value: Any, skipped: LeftOut) -> float | None:
    """A finite number from 0, also written as text; None where it is unknown."""
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number < 0:
        skipped.values_ignored["popularity"] += 1
        return None
    return number

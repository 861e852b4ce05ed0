"""From a file of any source to a SourceFile, or to the reason why it is none.

Reasons: unsafe_path, vendored, language_not_taken, too_large, not_utf8, binary, notebook_unreadable, notebook_not_python. A path is a label
and never opened here, but one that climbs out of its repository is a sign of a hostile archive.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from snowcoder.corpus.languages import NOTEBOOK, language_of, may_have_language
from snowcoder.corpus.notebooks import NotebookError, notebook_code
from snowcoder.corpus.selection import FileLimits, is_vendored
from snowcoder.records import SourceFile, make_source_file


@dataclass(frozen=True, slots=True)
class Origin:
    """What the files of one repository have in common; see SourceFile for the fields. source: kind of source."""

    source: str
    repository: str
    licence: str
    revision: str
    download_rank: int | None = None
    popularity: float | None = None


def refuse_name(path: str, n_bytes: int, limits: FileLimits) -> str | None:
    """Why a file need not be read at all: None if it must be."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or path.startswith("/") or "\\" in path or not path.isprintable():
        return "unsafe_path"
    if is_vendored(path):
        return "vendored"
    if not may_have_language(path):
        return "language_not_taken"
    return "too_large" if n_bytes > limits.max_file_bytes else None


def decode(raw: bytes) -> str | None:
    """UTF-8 text without its byte order mark, or None: other encodings cannot be told from broken bytes."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def make_candidate(origin: Origin, path: str, content: str, limits: FileLimits, language: str | None = None) -> SourceFile | str:
    """The file, or the reason to leave it out. language: where the source states it; else told from path and content."""
    if "\0" in content:
        return "binary"
    language = language or language_of(path, content)
    if language is None or language not in limits.languages:
        return "language_not_taken"
    if language == NOTEBOOK:
        try:
            content = notebook_code(content)
        except NotebookError as error:
            return error.reason
    if len(content) > limits.max_file_bytes or len(content.encode("utf-8", "surrogatepass")) > limits.max_file_bytes:
        return "too_large"
    try:
        return make_source_file(
            source=origin.source,
            repository=origin.repository,
            path=path,
            language=language,
            content=content,
            licence=origin.licence,
            download_rank=origin.download_rank,
            popularity=origin.popularity,
            revision=origin.revision,
        )
    except UnicodeEncodeError:  # half of a surrogate pair, as a JSON file may hold it
        return "not_utf8"

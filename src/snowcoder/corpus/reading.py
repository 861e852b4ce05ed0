"""Turns a raw file of any source into a SourceFile, or says why it is rejected.

Reasons: unsafe_path, vendored, language_not_taken, too_large, not_utf8, lone_surrogate, binary, notebook_unreadable, notebook_not_python.
A path is a label and never opened here, but a path that leaves its repository is a sign of a hostile archive.
"""

import re
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from snowcoder.corpus.notebooks import NotebookError, notebook_code
from snowcoder.corpus.repository_limits import FileLimits, Refused, is_vendored
from snowcoder.source_files.languages import NOTEBOOK, language_of, may_have_language
from snowcoder.source_files.records import SourceFile, make_source_file

NO_EXTENSION = "no extension"
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
# ASCII and Latin-1 control characters, line separators, surrogates, and the controls of bidirectional text
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """What the files of one repository have in common; see SourceFile for the fields. source: kind of source."""

    source: str
    repository: str
    licence: str
    revision: str
    download_rank: int | None = None
    popularity: float | None = None


def plain_path(path: str) -> str:
    """A path as data sets write it, in our form: `/src/a.py`, `./src/a.py` and, as no slash is in it, `src\\a.py` are `src/a.py`."""
    if "/" not in path:
        path = path.replace("\\", "/")
    stripped = path if _DRIVE.match(path) else path.lstrip("/")
    return str(PurePosixPath(stripped)) if stripped else ""


def is_safe_path(path: str) -> bool:
    """Whether a path stays in its repository and fits on one line of text.

    Refused: `..`, a leading slash, a drive letter, a backslash that separates nothing, and control characters. A tab is one of them: it
    separates columns wherever paths are listed.
    """
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and path[0] != "/" and "\\" not in path and not _DRIVE.match(path) and is_one_line(path)


def is_one_line(text: str) -> bool:
    """Whether a name has no control character, no half of a surrogate pair, and nothing that changes the direction of writing."""
    return text.isprintable() or not _NOT_IN_NAMES.search(text)


def refuse_name(path: str, n_bytes: int, limits: FileLimits, language: str | None = None) -> Refused | None:
    """Why a file need not be read at all; None if it must be. language: if something other than the name states it."""
    if not is_safe_path(path):
        return Refused("unsafe_path", path)
    if is_vendored(path):
        return Refused("vendored", path)
    if language is None and not may_have_language(path):
        return Refused("language_not_taken", _ending(path))
    return Refused("too_large", path) if n_bytes > limits.max_file_bytes else None


def decode(raw: bytes) -> str | None:
    """UTF-8 text without its byte order mark, or None: other encodings cannot be distinguished from broken bytes."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def make_candidate(origin: FileOrigin, path: str, content: str, limits: FileLimits, language: str | None = None) -> SourceFile | Refused:
    """The file, or the reason to leave it out. language: as the source states it, else detected from path and content."""
    if "\0" in content:
        return Refused("binary", path)
    language = language or language_of(path, content)
    if language is None or language not in limits.languages:
        return Refused("language_not_taken", language or _ending(path))
    if language == NOTEBOOK:
        try:
            content = notebook_code(content)
        except NotebookError as error:
            return Refused(error.reason, path)
    if len(content) > limits.max_file_bytes or len(content.encode("utf-8", "surrogatepass")) > limits.max_file_bytes:
        return Refused("too_large", path)
    try:
        return make_source_file(path=path, language=language, content=content, **asdict(origin))
    except UnicodeEncodeError:  # half of a surrogate pair, as a JSON file may hold it
        return Refused("lone_surrogate", path)


def _ending(path: str) -> str:
    """What the language of a file is detected from."""
    return PurePosixPath(path).suffix.lower() or NO_EXTENSION

"""Reads JSON as a corpus: a file, or a folder's .jsonl, .ndjson and .json files (compressed or not), in order of name.

in: a path  out: rows as dicts, or why a row gives none: malformed_row, nested_too_deep, duplicate_keys (a reader that took the last of two
would hide that they differ), not_utf8, and too_large for one far longer than a file may be. A file that ends in the middle of a row or of
its compressed stream is damaged, and an error: nobody knows how much is missing.
"""

import json
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snowcoder.corpus.columns import Layout
from snowcoder.corpus.json_text import opened, split_rows
from snowcoder.corpus.repository_limits import LeftOut, Refused
from snowcoder.corpus.source_paths import list_files
from snowcoder.errors import SourceError

ENDINGS = tuple(f".{name}{packed}" for name in ("jsonl", "ndjson", "json") for packed in ("", ".gz", ".zst", ".zstd", ".bz2", ".xz"))
# A character may be written as \u00e9, six bytes for one or two; the other columns need some room too
BYTES_PER_BYTE = 6
MARGIN_BYTES = 65_536
# A row that is a repository is held in memory whole
MAX_REPOSITORY_BYTES = 256_000_000
# Arrays and objects within each other: below what the parser of any supported Python can follow, so that all take the same rows
MAX_DEPTH = 500

# How json reports a string that ends too early; any other value, or part of a number, is cut off where it reports it
_MSGS_OF_STRINGS = ("Unterminated string", "Invalid \\uXXXX")
_LITERALS = ("true", "false", "null", "NaN", "Infinity", "-Infinity", ".", "e+", "e-", "E+", "E-")


class _DuplicateKeyError(ValueError):
    """The same key twice in one object."""


def read_jsonl(path: Path, layout: Layout, max_file_bytes: int, skipped: LeftOut) -> Iterator[dict[str, Any] | Refused]:
    """Rows of a file or folder, or the reason why one cannot be read. Raises SourceError naming the file that is missing or damaged."""
    max_row_bytes = max_file_bytes * BYTES_PER_BYTE + MARGIN_BYTES if layout.rows is None else MAX_REPOSITORY_BYTES
    for file in list_files(path, ENDINGS, skipped):
        try:
            with opened(file) as stream:
                for number, text in split_rows(stream, file, max_row_bytes):
                    if isinstance(text, Refused):
                        yield text
                    elif text.strip():
                        yield parse_row(text, f"{file}:{number}")
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            raise SourceError(f"{file}: damaged or cut off ({error}); fetch it again") from error


def parse_row(text: bytes, where: str) -> dict[str, Any] | Refused:
    """One row, or why it is not one. Raises SourceError if the file ends within the row."""
    try:
        row = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except _DuplicateKeyError as error:
        return Refused("duplicate_keys", str(error))
    except RecursionError:
        return Refused("nested_too_deep", where)
    except ValueError as error:
        if not text.endswith(b"\n") and _is_beginning(error, text):
            raise SourceError(f"{where}: ends in the middle of a line; it was cut off: fetch it again") from error
        return Refused("not_utf8", where) if isinstance(error, UnicodeDecodeError) else Refused("malformed_row", _start(text))
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _depth(row) > MAX_DEPTH:
        return Refused("nested_too_deep", where)
    return row if isinstance(row, dict) else Refused("malformed_row", _start(text))


def _depth(value: Any) -> int:
    """Levels of dicts and lists, counted without recursion."""
    depth, level = 0, [value]
    while level:
        level = [
            inner for outer in level if isinstance(outer, dict | list) for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        depth += 1
    return depth - 1


def _is_beginning(error: ValueError, text: bytes) -> bool:
    """Whether what is wrong with a row is only that it ends too early: a row of CSV is no beginning of one."""
    if not text.lstrip().startswith(b"{"):
        return False
    if isinstance(error, UnicodeDecodeError):
        return error.reason == "unexpected end of data"
    if not isinstance(error, json.JSONDecodeError):
        return False
    rest = error.doc[error.pos :].strip()
    return error.msg.startswith(_MSGS_OF_STRINGS) or any(literal.startswith(rest) for literal in _LITERALS)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateKeyError(next(name for name in row if names.count(name) > 1))
    return row


def _start(text: bytes) -> str:
    return text[:80].decode("utf-8", "replace").strip()

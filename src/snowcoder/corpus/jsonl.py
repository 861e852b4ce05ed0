"""JSON lines as a corpus: a file, or all `.jsonl`, `.json.gz` and `.jsonl.gz` files of a folder, in the order of their names.

A line that is not a JSON object is left out as malformed_row, one far longer than a file may be as too_large without being held in memory.
A file that ends in the middle of a line or of its compressed stream is damaged, and an error: nobody knows how much is missing.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from snowcoder.corpus.rows import Columns, check_columns
from snowcoder.errors import SourceError

# A character may be written as \u00e9, six bytes for one or two; the other columns need some room too
BYTES_PER_BYTE = 6
MARGIN_BYTES = 65_536


def read_jsonl(path: Path, columns: Columns, max_file_bytes: int) -> Iterator[dict[str, Any] | str]:
    """Rows of a file or folder, or the reason why a line gives none. Raises SourceError naming the file that is missing or damaged."""
    for file in list_files(path, (".jsonl", ".jsonl.gz", ".json.gz")):
        try:
            with file.open("rb") as raw, gzip.open(raw) if file.suffix == ".gz" else io.BufferedReader(cast(io.RawIOBase, raw)) as stream:
                yield from _rows(cast(BinaryIO, stream), file, columns, max_file_bytes * BYTES_PER_BYTE + MARGIN_BYTES)
        except (EOFError, zlib.error, OSError) as error:
            raise SourceError(f"{file}: damaged or cut off ({error}); fetch it again") from error


def list_files(path: Path, endings: tuple[str, ...]) -> list[Path]:
    """The file itself, or the files of a folder and its subfolders with one of `endings`, sorted. Raises SourceError if there is none."""
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.name.endswith(endings) and file.is_file()) if path.is_dir() else []
    if not files:
        raise SourceError(f"{path}: no file that ends in {' or '.join(endings)}; fetch_corpus.source.path names a file or a folder of them")
    return files


def _rows(stream: BinaryIO, file: Path, columns: Columns, max_line_bytes: int) -> Iterator[dict[str, Any] | str]:
    checked = False
    number = 0
    while line := stream.readline(max_line_bytes):
        number += 1
        ended = line.endswith(b"\n")
        if not ended and len(line) == max_line_bytes:
            _pass_line(stream)
            yield "too_large"
            continue
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if not ended:
                raise SourceError(f"{file}:{number}: ends in the middle of a line; it was cut off: fetch it again") from error
            yield "malformed_row"
            continue
        if not isinstance(row, dict):
            yield "malformed_row"
            continue
        if not checked:
            check_columns(columns, row, f"{file}:{number}")
            checked = True
        yield row


def _pass_line(stream: BinaryIO) -> None:
    while (part := stream.readline(1 << 20)) and not part.endswith(b"\n"):
        pass

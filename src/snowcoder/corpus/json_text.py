"""Reads the rows of a JSON file as bytes, one per line or array element; detects compression by content, not by name.

in: a file: JSON lines, a JSON array, or JSON documents over several lines; plain, gzip, zstd, bzip2 or xz, also of several frames
out: the bytes of each row, or why it has none. A row far above the size limit of a file is skipped without being read into memory.
"""

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from snowcoder.corpus.repository_limits import Refused
from snowcoder.errors import SourceError

CHUNK_BYTES = 1 << 16
HEAD_BYTES = 64
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # a frame, or one to skip before the first
# What a file is that no reader takes as it is, by its first bytes
FOREIGN = {
    b"PK\x03\x04": "a zip archive: unpack it",
    b"version https://git-lfs": "a pointer of Git LFS: `git lfs pull` fetches the file itself",
}
_NOT_READ = FOREIGN | {b"PAR1": "Parquet: use `kind: parquet`", b"\x04\x22\x4d\x18": "compressed by LZ4: unpack it, or compress it by zstd"}
TAR_BYTES = 512  # of an entry's head, which has its magic word at 257
_UTF_16 = re.compile(rb"\xff\xfe|(?:\x00\x00)?\xfe\xff|[\[{]\x00|\x00[\[{]")
_UTF_32_MARKS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_UTF_8_MARK = b"\xef\xbb\xbf"
_MARK = re.compile(rb'\\.|["\[\]{},]', re.DOTALL)


@contextmanager
def opened(file: Path) -> Iterator[io.BufferedReader]:
    """The decompressed bytes of a file. Raises SourceError if it is anything but compressed text."""
    with file.open("rb") as raw:
        head = raw.read(HEAD_BYTES)
        raw.seek(0)
        for magic, what in _NOT_READ.items():
            if head.startswith(magic):
                raise SourceError(f"{file}: not JSON lines but {what}")
        with _decompressed(cast(BinaryIO, raw), head) as stream:
            yield io.BufferedReader(stream, CHUNK_BYTES)


def _decompressed(raw: BinaryIO, head: bytes) -> io.RawIOBase:
    if head.startswith(b"\x1f\x8b"):
        return cast(io.RawIOBase, gzip.open(raw))
    if _ZSTD.match(head):
        return cast(io.RawIOBase, pa.CompressedInputStream(raw, "zstd"))
    if head.startswith(b"BZh"):
        return cast(io.RawIOBase, bz2.open(raw))
    return cast(io.RawIOBase, lzma.open(raw) if head.startswith(b"\xfd7zXZ\x00") else raw)


def split_rows(stream: io.BufferedReader, file: Path, max_row_bytes: int) -> Iterator[tuple[int, bytes | Refused]]:
    """(number of the line or element, its bytes or why it is skipped).

    Raises SourceError for UTF-16, UTF-32 and tar, EOFError if the file is cut off.
    """
    if stream.peek(TAR_BYTES)[257:262] == b"ustar":
        raise SourceError(f"{file}: not JSON lines but a tar archive: unpack it")
    head = _head(stream)
    if _UTF_16.match(head):
        encoding = "UTF-32" if head.startswith(_UTF_32_MARKS) else "UTF-16"
        raise SourceError(f"{file}: {encoding}; JSON is read as UTF-8: convert it with `iconv -f {encoding} -t UTF-8`")
    over_lines = head.startswith(b"[") or re.match(rb"\{\s*\n", head)
    yield from enumerate((_elements if over_lines else _lines)(stream, max_row_bytes), start=1)


def _head(stream: io.BufferedReader) -> bytes:
    """The first bytes after a byte order mark and blank lines, which are passed."""
    head = stream.peek(HEAD_BYTES)
    if head.startswith(_UTF_8_MARK):
        stream.read(len(_UTF_8_MARK))
        head = stream.peek(HEAD_BYTES)
    while head and not head.strip():
        stream.read(len(head))
        head = stream.peek(HEAD_BYTES)
    return head.lstrip()


def _lines(stream: io.BufferedReader, max_row_bytes: int) -> Iterator[bytes | Refused]:
    """Lines with their ends; blank ones are empty."""
    while line := stream.readline(max_row_bytes):
        if len(line) == max_row_bytes and not line.endswith(b"\n"):
            start = line[:HEAD_BYTES].decode("utf-8", "replace")
            while (part := stream.readline(1 << 20)) and not part.endswith(b"\n"):
                pass
            yield Refused("too_large", start)
        else:
            yield line


def _elements(stream: io.BufferedReader, max_row_bytes: int) -> Iterator[bytes | Refused]:
    """Elements of arrays, and documents outside of any, wherever their lines end."""
    nesting, value, is_long, rest = _Nesting(), bytearray(), False, b""
    while chunk := stream.read(CHUNK_BYTES):
        data, start, end = rest + chunk, 0, 0
        for match in _MARK.finditer(data):
            end = match.end()
            border = nesting.border(match)
            if border is not None:
                value += data[start:border]
                start = end
                yield from _whole(value, is_long or len(value) > max_row_bytes)
                is_long = False
        rest = b"\\" if data.endswith(b"\\") and end < len(data) else b""  # its second half is in the next chunk
        value += data[start : len(data) - len(rest)]
        if len(value) > max_row_bytes:
            is_long = True
            del value[HEAD_BYTES:]
    if nesting.depth or nesting.in_string:
        raise EOFError("the file ends inside a value")
    yield from _whole(value, is_long)


class _Nesting:
    """How deep in brackets a text is, that of the outermost array included."""

    def __init__(self) -> None:
        self.depth = 0
        self.in_array = False
        self.in_string = False

    def border(self, match: re.Match[bytes]) -> int | None:
        """Where the value before this mark ends, if it ends here: at its own last bracket, or before what parts the elements."""
        mark = match[0]
        if mark == b'"':
            self.in_string = not self.in_string
        if self.in_string or mark[:1] in b'"\\':
            return None
        if mark in b"[{":
            self.depth += 1
            self.in_array = self.in_array or (self.depth == 1 and mark == b"[")
            return match.start() if self.in_array and self.depth == 1 else None
        if mark in b"]}":
            self.depth = max(self.depth - 1, 0)
        if not self.in_array:
            return match.end() if self.depth == 0 and mark != b"," else None
        self.in_array = self.depth > 0
        return match.start() if self.depth == 0 or (mark == b"," and self.depth == 1) else None


def _whole(value: bytearray, is_long: bool) -> Iterator[bytes | Refused]:
    """The value with the end of a line, as it is whole; empties it."""
    text = bytes(value).strip()
    value.clear()
    if is_long:
        yield Refused("too_large", text[:HEAD_BYTES].decode("utf-8", "replace"))
    elif text:
        yield text + b"\n"

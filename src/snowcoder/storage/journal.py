"""An append-only file of JSON lines that a kill, a full disk or a second writer cannot break.

in: JSON-serialisable mappings, one at a time   out: a file of one line each, in the order of writing

Each line is one write, so a kill loses at most the line that was being written. The next writer cuts off such a torn last line; any other
line that cannot be read is an error. A process holds the file's lock while it writes: the system frees the lock when the process ends.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from snowcoder.errors import ShardError

Entry = dict[str, Any]


class Journal:
    """A journal open for appending; a context manager. Threads of one process may share it.

    wait: for another process that writes to it; False raises BlockingIOError instead.
    fsync_every_s: how much work a failing machine may lose; None leaves it to the operating system (a killed process loses nothing).
    """

    def __init__(self, path: Path, wait: bool = True, fsync_every_s: float | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._fsync_every_s, self._synced = fsync_every_s, time.monotonic()
        self._thread_lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            self.torn_bytes = _cut_torn_line(self._file)
        except BaseException:
            os.close(self._file)
            raise

    def append(self, entry: Entry) -> int:
        """Write one line; returns its offset. Raises the system's OSError, with the file's name, if it is not written whole: the part
        that was written is then taken back.
        """
        rest = json.dumps(entry).encode() + b"\n"
        with self._thread_lock:
            offset = os.lseek(self._file, 0, os.SEEK_END)
            try:
                while rest:  # a full disk takes a part of the line, and gives the reason at the next write
                    rest = rest[os.write(self._file, rest) :]
            except BaseException as error:
                os.ftruncate(self._file, offset)
                if isinstance(error, OSError):
                    raise OSError(error.errno, error.strerror, str(self.path)) from error
                raise
            if self._fsync_every_s is not None and time.monotonic() - self._synced >= self._fsync_every_s:
                self._sync()
        return offset

    def close(self) -> None:
        """Force what was written to disk, where that was asked for, and free the lock."""
        try:
            if self._fsync_every_s is not None:
                self._sync()
        finally:
            os.close(self._file)

    def _sync(self) -> None:
        os.fsync(self._file)
        self._synced = time.monotonic()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def read_journal(path: Path, offset: int = 0) -> Iterator[tuple[Entry, int]]:
    """(entry, offset of the next line) of each whole line from `offset` on; nothing if there is no file. Needs no lock.

    A last line without its end is still being written, or torn, and is not read. Raises ShardError for a line that is no JSON mapping.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            entry = _parse(line, path, offset)
            offset += len(line)
            yield entry, offset


def read_entry(path: Path, offset: int) -> Entry:
    """The entry whose line begins at `offset`, as `Journal.append` returned it. Raises ShardError if there is none."""
    for entry, _ in read_journal(path, offset):
        return entry
    raise ShardError(f"{path}: no line at byte {offset}; another process has changed the file: restore it, or move it away")


def _parse(line: bytes, path: Path, offset: int) -> Entry:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ShardError(f"{path}: the line at byte {offset} is not JSON ({error}); restore the file, or move it away") from error
    if not isinstance(entry, dict):
        found = type(entry).__name__
        raise ShardError(f"{path}: the line at byte {offset}: found {found}, allowed: a mapping; restore the file, or move it away")
    return entry


def _cut_torn_line(file: int) -> int:
    """Cut off what follows the last line's end; returns how many bytes that were."""
    size = end = os.fstat(file).st_size
    while end:
        begin = max(0, end - 65536)
        newline = os.pread(file, end - begin, begin).rfind(b"\n")
        end = begin if newline < 0 else begin + newline + 1
        if newline >= 0:
            break
    if end < size:
        os.ftruncate(file, end)
    return size - end

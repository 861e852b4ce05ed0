"""Copies tracking records to MLflow, while a stage runs or long afterwards.

    python -m snowcoder.tracking.mirror RECORD < pipe from the stage

One process for each run. It copies new entries every second until the record has an end, or until the pipe ends: then the stage is gone.
A record without an end that nobody writes is a KILLED run. The run in MLflow itself says how much of its record it has (tag
`copied_bytes`), and a replay adds nothing twice, because times are those of the record. A server that does not answer is asked again, ever
more rarely; `make sync-tracking` copies what is left.
"""

import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from snowcoder.errors import ShardError
from snowcoder.storage.journal import Entry, read_journal
from snowcoder.tracking.records import FAULT, is_being_written, list_records, mirror_log
from snowcoder.tracking.store import MirroredRun, Store

POLL_S = 1.0
LONGEST_PAUSE_S = 60.0
ENTRIES_PER_WRITE = 500


class Synced(NamedTuple):
    """What one pass over all records did. left: entries that MLflow does not have; fault: the first, or ''."""

    records: int
    left: int
    fault: str


class RecordMirror:
    """One record, and how far MLflow has it."""

    def __init__(self, record: Path) -> None:
        self.record = record
        self.ended = False
        self._pending: list[tuple[Entry, int]] = []
        self._read_to = 0
        self._first: Entry | None = None
        self._last: Entry | None = None
        self._run: MirroredRun | None = None

    def copy(self, store: Store) -> None:
        """Bring MLflow up to date. Raises what MLflow raises, and ShardError for a damaged record."""
        written = is_being_written(self.record)  # asked before reading: a writer that is gone by now has written everything
        self._read()
        if self._first is None or self._last is None:
            return
        if self._run is None:
            self._run = store.open_run(self._first)
            copied = self._run.copied_bytes if self._run else self._read_to  # a run that a person has deleted stays deleted
            self._pending = [(entry, offset) for entry, offset in self._pending if offset > copied]
        while self._run and self._pending:
            chunk = self._pending[:ENTRIES_PER_WRITE]
            store.write(self._run, [entry for entry, _ in chunk], chunk[-1][1])
            self._pending = self._pending[ENTRIES_PER_WRITE:]
        self.ended = self._last["type"] == "end"
        if self._run and not self.ended and not written:
            store.close(self._run, "KILLED", self._last["time"])

    def count_left(self) -> int:
        """Entries that MLflow does not have; of a damaged record, those before the damage."""
        with suppress(ShardError):
            self._read()
        return len(self._pending)

    def _read(self) -> None:
        for entry, offset in read_journal(self.record, self._read_to):
            self._pending.append((entry, offset))
            self._first, self._last, self._read_to = self._first or entry, entry, offset


def follow(record: Path, pipe: IO[bytes]) -> None:
    """Copy a record until it ends or the process at the other end of `pipe` does; then once more."""
    mirror, store, pause_s, live, fault = RecordMirror(record), None, POLL_S, True, ""
    while live and not mirror.ended:
        live = not select.select([pipe], [], [], pause_s)[0]
        try:
            store = store or Store(record.parent.parent)
            mirror.copy(store)
            if fault:
                with suppress(FileNotFoundError):
                    os.truncate(mirror_log(record), 0)
            pause_s, fault = POLL_S, ""
        except Exception as error:  # each of MLflow's stores and transports has its own errors
            fault = _one_line(error)
            print(FAULT + fault, flush=True)
            mirror, store, pause_s = RecordMirror(record), None, min(LONGEST_PAUSE_S, 2 * pause_s)
    if not fault:
        mirror_log(record).unlink(missing_ok=True)


def sync(work: Path) -> Synced:
    """One pass over all records. An MLflow that does not answer ends the pass, a record that MLflow refuses does not."""
    mirrors, store, fault = [RecordMirror(path) for path in list_records(work)], None, ""
    for mirror in mirrors:
        try:
            store = store or Store(work)
            mirror.copy(store)
        except Exception as error:  # as in `follow`
            fault = fault or _one_line(error)
            if store is None or not store.answers():
                break
        else:
            mirror_log(mirror.record).unlink(missing_ok=True)
    return Synced(len(mirrors), sum(mirror.count_left() for mirror in mirrors), fault)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


if __name__ == "__main__":
    os.nice(10)
    follow(Path(sys.argv[1]), sys.stdin.buffer)

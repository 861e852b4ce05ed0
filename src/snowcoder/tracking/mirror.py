"""mlflow_mirror: copies tracking records into MLflow, live or long after.

    python -m snowcoder.tracking.mirror <work folder>

One process per work folder: `tracking` starts it; tools/sync_tracking.py does the same work once. It follows all records while any of them
has a living writer, and ends ten seconds after the last. `<record>.cursor.json` beside each record says how far it got (Cursor): a kill
costs nothing, and a replay (times are those of the record) adds nothing twice. A server that does not answer is asked again, ever more
rarely; what is left then waits for the next mirror or `make sync-tracking`.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from snowcoder.storage.files import write_json
from snowcoder.tracking.records import MIRROR_LOCK, STORE_STATUS, Entry, is_writer_alive, read_entries, records_folder
from snowcoder.tracking.store import Store, tracking_uri

IDLE_S = 10.0
POLL_S = 1.0
LONGEST_PAUSE_S = 60.0
LINES_PER_WRITE = 500


@dataclass
class Cursor:
    """How far one record has been copied to one MLflow. left: lines still to copy; closed: the run has its end; fault: why it stopped."""

    tracking_uri: str
    run_id: str | None = None
    offset: int = 0
    lines: int = 0
    unreadable: int = 0
    left: int = 0
    closed: bool = False
    fault: str = ""


class FollowedRecord:
    """One record and its cursor; reads every line once, and a record that is copied already not at all.

    doubt: do not take the cursor's word for that, but ask MLflow.
    """

    def __init__(self, path: Path, uri: str, doubt: bool) -> None:
        self.path = path
        self.cursor = read_cursor(path, uri)
        self.cursor.closed &= not doubt
        self.first_start: Entry | None = None
        self.last_start: Entry | None = None
        self.last: Entry | None = None
        self.confirmed = False  # its run was seen to exist since this process began
        self._read_to = 0
        self._pending: list[tuple[Entry | None, int]] = []

    def read(self) -> None:
        """Take in what was written since the last call."""
        size = self.path.stat().st_size
        if size == self._read_to or (self.cursor.closed and size == self.cursor.offset):
            return
        entries, self._read_to = read_entries(self.path, self._read_to)
        for entry, offset in entries:
            self.last = entry or self.last
            if entry is not None and entry["type"] == "start":
                self.first_start, self.last_start = self.first_start or entry, entry
            if offset > self.cursor.offset:
                self._pending.append((entry, offset))

    def is_live(self) -> bool:
        """Whether lines may still be added: the last run in it has not ended, and its writer lives."""
        unfinished = self.last is not None and self.last["type"] != "end"
        return unfinished and self.last_start is not None and is_writer_alive(self.last_start["process"], self.path)

    def is_copied(self) -> bool:
        """Whether nothing is left to do."""
        return self.cursor.closed and not self._pending

    def copy(self, store: Store) -> None:
        """Bring MLflow up to date with the record."""
        live = self.is_live()  # asked before the last read: a writer that is gone by now has written all it will
        self.read()
        if self.first_start is None or self.is_copied():
            return
        self._find_run(store, self.first_start)
        if self.cursor.run_id is None:
            return self._leave_alone()
        while self._pending:
            chunk = self._pending[:LINES_PER_WRITE]
            store.write(self.cursor.run_id, [entry for entry, _ in chunk if entry is not None])
            self._pending = self._pending[LINES_PER_WRITE:]
            self._advance(chunk)
        if self.last is not None and self.last["type"] != "end" and not live:
            store.close(self.cursor.run_id, "KILLED", self.last["time"])
        self.cursor.closed = not live
        self._save()

    def note_fault(self, fault: str) -> None:
        """Keep what went wrong, and how much is left, beside the record."""
        self.cursor.fault, self.cursor.left = fault, len(self._pending)
        self.confirmed = False
        self._save()

    def count_left(self) -> int:
        """Lines still to copy."""
        return len(self._pending)

    def _find_run(self, store: Store, start: Entry) -> None:
        if self.confirmed:
            return
        run_id = store.run_id(start)
        if run_id != self.cursor.run_id:  # a new store, or one that lost the run: from the first line again
            self.cursor = Cursor(store.uri, run_id)
            self._pending = read_entries(self.path)[0]
        self.confirmed = True

    def _leave_alone(self) -> None:
        self.cursor.offset, self.cursor.closed, self.cursor.fault = self._read_to, True, "its run was deleted in MLflow"
        self._pending = []
        self._save()

    def _advance(self, chunk: list[tuple[Entry | None, int]]) -> None:
        self.cursor.unreadable += sum(entry is None for entry, _ in chunk)
        self.cursor.offset, self.cursor.lines = chunk[-1][1], self.cursor.lines + len(chunk)
        self.cursor.left, self.cursor.fault, self.cursor.closed = len(self._pending), "", False
        self._save()

    def _save(self) -> None:
        write_json(cursor_path(self.path), asdict(self.cursor))


class Mirror:
    """Copies the records of one work folder."""

    def __init__(self, work: Path, doubt: bool = False) -> None:
        """doubt: do not take a cursor's word that a record is copied (the database may have been deleted since)."""
        self._doubt = doubt
        self.work = work
        self.folder = records_folder(work)
        self._store: Store | None = None
        self._records: dict[Path, FollowedRecord] = {}

    def look(self) -> bool:
        """Take in new records and lines; whether any record may still grow."""
        known, uri = self._records, tracking_uri(self.work)
        paths = sorted(self.folder.glob("*.jsonl"))
        self._records = {path: known.get(path) or FollowedRecord(path, uri, self._doubt) for path in paths}
        for record in self._records.values():
            record.read()
        return any(record.is_live() for record in self._records.values())

    def count_records(self) -> int:
        """Records seen by the last look."""
        return len(self._records)

    def replay(self) -> tuple[int, str]:
        """Copy what is there: (lines left, the first fault or ''). An MLflow that does not answer ends the pass; a bad record does not."""
        fault = ""
        for record in self._records.values():
            if record.is_copied():
                continue
            try:
                self._store = self._store or Store(self.work)
                record.copy(self._store)
            except Exception as error:  # MLflow's stores and transports each have errors of their own
                fault = fault or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
                record.note_fault(fault)
                if self._store is None or not self._store.answers():
                    self._store = None
                    break
        return sum(record.count_left() for record in self._records.values()), fault


@contextmanager
def mirror_lock(work: Path) -> Iterator[None]:
    """The right to copy this work folder's records. Raises Timeout where another process has it."""
    records_folder(work).mkdir(parents=True, exist_ok=True)
    # seconds, not zero: a stage that only looks whether a mirror is there holds the lock for a moment
    with FileLock(records_folder(work) / MIRROR_LOCK).acquire(timeout=2.0):
        yield


def follow(work: Path, idle_s: float = IDLE_S) -> None:
    """Mirror until no record has had a living writer for `idle_s`; returns at once where another mirror of this work folder is at work."""
    mirror = Mirror(work)
    live = True
    while live:
        try:
            with mirror_lock(work):
                _follow_locked(mirror, idle_s)
        except Timeout:
            return
        live = mirror.look()  # asked after the release: a run that began meanwhile saw the lock held and relies on this mirror


def sync(work: Path) -> tuple[int, int, str]:
    """One pass over all records, also those that a cursor says are copied: (records, lines left, first fault or ''). Raises Timeout."""
    with mirror_lock(work):
        mirror = Mirror(work, doubt=True)
        mirror.look()
        left, fault = mirror.replay()
        _write_status(mirror.folder, left, fault)
        return mirror.count_records(), left, fault


def _follow_locked(mirror: Mirror, idle_s: float) -> None:
    idle_since, pause_s = time.monotonic(), POLL_S
    next_replay = 0.0
    while mirror.folder.is_dir():
        live, now = mirror.look(), time.monotonic()
        idle_since = now if live else idle_since
        if now >= next_replay or now - idle_since >= idle_s:
            left, fault = mirror.replay()
            _write_status(mirror.folder, left, fault)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s) if fault else POLL_S
            next_replay = time.monotonic() + pause_s
        if now - idle_since >= idle_s:
            return
        time.sleep(POLL_S)


def _write_status(folder: Path, left: int, fault: str) -> None:
    status = folder / STORE_STATUS
    if fault:
        status.write_text(f"{left} lines are not in MLflow yet ({fault}); the records are kept, `make sync-tracking` copies them\n")
    else:
        status.unlink(missing_ok=True)


def cursor_path(record: Path) -> Path:
    """Where the cursor of a record is kept."""
    return record.with_suffix(".cursor.json")


def read_cursor(record: Path, uri: str) -> Cursor:
    """The cursor of a record for the MLflow at `uri`; a new one if there is none or it speaks of another MLflow."""
    try:
        cursor = Cursor(**json.loads(cursor_path(record).read_text()))
    except (OSError, ValueError, TypeError):
        return Cursor(uri)
    return cursor if cursor.tracking_uri == uri else Cursor(uri)


if __name__ == "__main__":
    os.nice(10)
    follow(Path(sys.argv[1]))

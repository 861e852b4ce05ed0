"""Finds and reads the tracking records of a work folder: `<work>/tracking/<record_id>.jsonl`, which record.py writes.

A record is a journal, so its writer holds a lock that the system frees when the writer ends, however it ends.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from snowcoder.errors import ShardError
from snowcoder.storage.journal import Entry, Journal, read_journal

SUMMARY = "summary"
FAULT = "fault: "  # begins a line of a mirror's log that a person should see


def records_folder(work: Path) -> Path:
    """The folder of the records of a work folder."""
    return work / "tracking"


def list_records(work: Path) -> list[Path]:
    """All records, the oldest first."""
    paths = records_folder(work).glob("*.jsonl")
    return sorted(paths, key=lambda path: (next((entry["time"] for entry in _read_readable(path)), 0), path))


def read_record(path: Path) -> list[Entry]:
    """All entries of a record. Raises ShardError for a damaged one."""
    return [entry for entry, _ in read_journal(path)]


def summary_id(experiment: str) -> str:
    """The record of the summary run, the parent of all runs of an experiment."""
    return f"{SUMMARY}-{experiment}"


def mirror_log(record: Path) -> Path:
    """What the mirror of a record prints; removed when MLflow has everything."""
    return record.with_suffix(".log")


def resume_record(folder: Path, identity: str) -> tuple[Journal, int] | None:
    """(journal, number of system samples in it) of a killed or failed run of `identity`, or None; never one that is still being written."""
    for path in sorted(folder.glob(f"{identity}-*.jsonl"), reverse=True):
        with suppress(BlockingIOError):
            journal = Journal(path, wait=False)
            entries = list(_read_readable(path))
            if entries and entries[-1].get("status") != "FINISHED":
                return journal, sum(entry["type"] == "system" for entry in entries)
            journal.close()
    return None


def is_being_written(path: Path) -> bool:
    """Whether a process has the record open."""
    try:
        if path.exists():
            Journal(path, wait=False).close()
    except BlockingIOError:
        return True
    return False


def find_summaries(work: Path) -> set[tuple[str, str]]:
    """(experiment name, baseline revision) of every summary run."""
    return {(tags.get("experiment_name", ""), tags.get("baseline_rev", "")) for _, tags in _summary_tags(work)}


def has_summary(work: Path, fingerprint: str) -> bool:
    """Whether the newest results of some experiment are those of `fingerprint`."""
    newest = {path: tags["fingerprint"] for path, tags in _summary_tags(work)}
    return fingerprint in newest.values()


def _summary_tags(work: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in records_folder(work).glob(f"{SUMMARY}-*.jsonl"):
        yield from ((path, entry["tags"]) for entry in _read_readable(path) if entry["type"] == "start")


def _read_readable(path: Path) -> Iterator[Entry]:
    """The entries before the first damaged line."""
    with suppress(ShardError):
        yield from (entry for entry, _ in read_journal(path))

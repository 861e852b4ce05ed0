"""The folder of tracking records: who writes them, which are unfinished, whose writer is still alive. (The lines themselves: tracking.py.)

`<work>/tracking/<record_id>.jsonl` with, beside it, `<record_id>.cursor.json`: how far MLflow has it.
"""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

# One line of a record; its keys are told in tracking.py.
Entry = dict[str, Any]

MIRROR_LOCK = "mirror.lock"
MIRROR_LOG = "mirror.log"
STORE_STATUS = "mlflow_unreachable.txt"
# A record from another machine whose writer cannot be asked for: samples come every minute at least.
SILENT_AFTER_S = 600.0


def records_folder(work: Path) -> Path:
    """The folder of the records of a work folder."""
    return work / "tracking"


def process_identity() -> dict[str, Any]:
    """Who is writing: enough to find out later, on the same host, whether this very process still lives."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "process_start": _process_start(os.getpid())}


def is_writer_alive(process: dict[str, Any], record: Path) -> bool:
    """Whether the writer of `record` may still add lines. On another host: whether it has done so in the last ten minutes."""
    if process["host"] != socket.gethostname():
        return time.time() - record.stat().st_mtime < SILENT_AFTER_S
    return process["process_start"] is not None and _process_start(process["pid"]) == process["process_start"]


def read_entries(path: Path, offset: int = 0) -> tuple[list[tuple[Entry | None, int]], int]:
    """([(entry, offset after its line)], offset of the first incomplete line); an unreadable line is (None, offset)."""
    entries: list[tuple[Entry | None, int]] = []
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                break
            offset += len(line)
            entries.append((_parse(line), offset))
    return entries, offset


def find_unfinished(folder: Path, identity: str) -> tuple[Path, int] | None:
    """(record, system samples in it) of a killed or failed run of `identity`, or None. One whose writer lives is not up for taking."""
    for path in sorted(folder.glob(f"{identity}-*.jsonl"), reverse=True):
        entries = [entry for entry, _ in read_entries(path)[0] if entry is not None]
        starts = [entry for entry in entries if entry["type"] == "start"]
        if starts and entries[-1].get("status") != "FINISHED" and not is_writer_alive(starts[-1]["process"], path):
            return path, sum(entry["type"] == "system" for entry in entries)
    return None


def find_summaries(work: Path) -> set[tuple[str, str]]:
    """(experiment name, baseline revision) of every summary run in the records of a work folder."""
    found = set()
    for path in records_folder(work).glob("summary-*.jsonl"):
        for entry, _ in read_entries(path)[0]:
            if entry is not None and entry["type"] == "start":
                found.add((entry["tags"].get("experiment_name", ""), entry["tags"].get("baseline_rev", "")))
    return found


def _parse(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "type" in entry and "time" in entry else None


def _process_start(pid: int) -> str | None:
    """When a process began, in ticks since the machine did: tells apart two processes that had the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]

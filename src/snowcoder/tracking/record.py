"""tracking: what a running stage reports of itself; it observes, and never slows, changes or ends a run.

The record of a run is a local file of JSON lines, `<work>/tracking/<record_id>.jsonl`, one write per line:
  {"type": "start", "time", "name", "record_id", "tags": {...}, "params": {...}, "process": {host, pid, process_start}}
  {"type": "metrics", "time", "step", "metrics": {name: number}}       what the stage logs; at the end plan/… and actual/… (tracking_plan)
  {"type": "system", "time", "step", "metrics": {"system/...": number}} sampled beside it
  {"type": "end", "time", "status": FINISHED|FAILED|KILLED, "wall_s", "peak_memory_bytes"}
Times are milliseconds since 1970. A killed run leaves no end line; when it is resumed (same label, fingerprint and experiment) the record
goes on in the same file. MLflow is a mirror of these files, kept by a process of its own (snowcoder.tracking.mirror) that nobody waits for.

Environment:
  SNOWCODER_TRACKING         mlflow (default) | local (no mirror) | off
  SNOWCODER_TRACKING_STRICT  1: raise what is otherwise swallowed, counted and told at the end
  MLFLOW_TRACKING_URI        where the mirror writes (default: a database in the work folder)
"""

import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from snowcoder.pipeline.console import say
from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.pipeline.stage import stage_label, work_dir
from snowcoder.tracking.context import experiment_name, run_params, run_tags
from snowcoder.tracking.plan import compare, write_comparison
from snowcoder.tracking.records import MIRROR_LOCK, MIRROR_LOG, STORE_STATUS, find_unfinished, process_identity, records_folder
from snowcoder.tracking.system import SystemSampler

SUMMARY = "summary"
MODES = ("mlflow", "local", "off")
METRIC_NAME = re.compile(r"[\w./ :-]+", re.ASCII)  # what MLflow accepts: '@' for one is refused


class Record:
    """The open record of one run. Made by `track`."""

    def __init__(self, stage: str, item: str | None, fingerprint: str, summary: bool) -> None:
        self.name = f"{SUMMARY}@{experiment_name()}" if summary else stage_label(stage, item)
        self.faults = 0
        self.first_fault = ""
        self._run = (stage, item, fingerprint, summary)
        self._strict = os.environ.get("SNOWCODER_TRACKING_STRICT", "") == "1"
        self._mode = os.environ.get("SNOWCODER_TRACKING", "mlflow")
        self._file: int | None = None
        self._sampler: SystemSampler | None = None
        self._started = time.monotonic()
        self._started_ms = _now_ms()
        self._write_lock = threading.Lock()

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write metrics down, at `step` if there is one. Values are anything float() takes; a name MLflow would refuse is a fault."""
        self._guarded(lambda: self._log(metrics, step))

    def _log(self, metrics: Mapping[str, float], step: int | None) -> None:
        refused = [name for name in metrics if not METRIC_NAME.fullmatch(name)]
        if refused:
            raise ValueError(f"metric names {refused}: allowed are letters, digits and _ - . / : space")
        values = {name: float(value) for name, value in metrics.items()}
        self._write({"type": "metrics", "time": _now_ms(), "step": step, "metrics": values})

    def _open(self) -> None:
        if self._mode not in MODES:
            raise ValueError(f"environment: SNOWCODER_TRACKING: found {self._mode!r}; allowed: {', '.join(MODES)}")
        if self._mode == "off":
            return
        stage, item, fingerprint, summary = self._run
        path, n_samples = self._path(fingerprint, summary)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._record_path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if path.stat().st_size and path.read_bytes()[-1:] != b"\n":
            os.write(self._file, b"\n")  # a line cut off by a full disk; readers pass over it
        tags = run_tags(stage, item, fingerprint) | ({"summary": "true"} if summary else {})
        start = {"type": "start", "time": self._started_ms, "name": self.name, "record_id": path.stem, "tags": tags}
        self._write(start | {"params": run_params(), "process": process_identity()})
        self._sampler = SystemSampler(self._write_sample, first_step=n_samples)
        self._sampler.start()
        if self._mode == "mlflow":
            start_mirror(work_dir())

    def _path(self, fingerprint: str, summary: bool) -> tuple[Path, int]:
        """(file, system samples already in it): an unfinished record of the same run is gone on with, and so is a summary's."""
        if summary:
            return summary_path(fingerprint), 0
        identity = _identity(self.name, fingerprint)
        folder = records_folder(work_dir())
        return find_unfinished(folder, identity) or (folder / f"{identity}-{self._started_ms}.jsonl", 0)

    def _close(self, status: str) -> None:
        if self._file is None:
            return
        if self._sampler is not None:
            self._sampler.stop()
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        wall_s, peak_memory_bytes = round(time.monotonic() - self._started, 3), max(own, children) * 1024
        if status == "FINISHED":
            self._compare_with_plan(peak_memory_bytes)
        self._write({"type": "end", "time": _now_ms(), "status": status, "wall_s": wall_s, "peak_memory_bytes": peak_memory_bytes})
        os.close(self._file)
        self._file = None

    def _compare_with_plan(self, peak_memory_bytes: int) -> None:
        comparison = compare(work_dir(), self.name, run_params(), self._record_path, _now_ms(), peak_memory_bytes)
        if comparison is not None:
            self._log(comparison.metrics(), step=None)
            write_comparison(work_dir(), comparison)

    def _write_sample(self, metrics: dict[str, float], step: int) -> None:
        self._guarded(lambda: self._write({"type": "system", "time": _now_ms(), "step": step, "metrics": metrics}), strict=False)

    def _write(self, entry: dict[str, Any]) -> None:
        line = (json.dumps(entry) + "\n").encode()
        with self._write_lock:
            if self._file is not None and os.write(self._file, line) != len(line):
                raise OSError(f"the record took only a part of a line of {len(line)} bytes; is the disk full?")

    def _guarded(self, action: Callable[[], None], strict: bool = True) -> None:
        try:
            action()
        except Exception as error:
            self.faults += 1
            self.first_fault = self.first_fault or f"{type(error).__name__}: {error}"
            if strict and self._strict:
                raise

    def _tell(self) -> None:
        if self.faults:
            say(f"{self.name}: tracking: {self.faults} faults, the run was not touched; the first: {self.first_fault}")
        status = records_folder(work_dir()) / STORE_STATUS
        if self._mode == "mlflow" and status.exists() and status.stat().st_mtime * 1000 >= self._started_ms:
            say(f"{self.name}: tracking: {status.read_text().strip()}")


@contextmanager
def track(stage: str, item: str | None, fingerprint: str, *, summary: bool = False) -> Iterator[Record]:
    """Record a run of `stage` (of `item`) while the block runs. The block's own errors pass through.

    summary: the one run that stands for a whole experiment; a second one of the same fingerprint and experiment updates the first.
    """
    record = Record(stage, item, fingerprint, summary)
    record._guarded(record._open)
    try:
        yield record
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        record._guarded(lambda: record._close(status), strict=False)
        record._guarded(record._tell, strict=False)
        raise
    record._guarded(lambda: record._close("FINISHED"))
    record._guarded(record._tell)


def summary_path(fingerprint: str) -> Path:
    """The record of the summary run of this experiment; it is there once one was written for these results."""
    return records_folder(work_dir()) / f"{_identity(SUMMARY, fingerprint)}.jsonl"


def start_mirror(work: Path) -> None:
    """Start the process that copies the records of this work folder to MLflow, unless it runs already or MLflow is not installed."""
    if importlib.util.find_spec("mlflow") is None or _is_held(records_folder(work) / MIRROR_LOCK):
        return
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE_ROOT), os.environ.get("PYTHONPATH", "")])}
    with (records_folder(work) / MIRROR_LOG).open("ab") as log:
        subprocess.Popen(  # not waited for; its folder is not ours, which may be a temporary workspace
            [sys.executable, "-m", "snowcoder.tracking.mirror", str(work)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=work,
            env=environment,
            start_new_session=True,
        )


def _identity(label: str, fingerprint: str) -> str:
    return re.sub(r"[^\w.@-]", "_", f"{label}-{fingerprint}-{experiment_name()}")


def _is_held(lock: Path) -> bool:
    try:
        with FileLock(lock).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _now_ms() -> int:
    return int(time.time() * 1000)

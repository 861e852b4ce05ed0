"""Records what a running stage reports about itself; never slows, changes or ends the run.

The record of a run is a local journal, `<work>/tracking/<record_id>.jsonl`, of these entries:
  {"type": "start", "time", "name", "record_id", "tags": {...}, "params": {...}, "inputs": [{path, digest, …}]}
  {"type": "metrics", "time", "step", "metrics": {name: number}}        what the stage logs
  {"type": "system", "time", "step", "metrics": {"system/...": number}} samples of the machine
  {"type": "model", "time", "path", "digest", "n_bytes"}                a model that the stage has made
  {"type": "artifact", "time", "file"}                                  a file, copied to <work>/tracking/<file>
  {"type": "end", "time", "status": FINISHED|FAILED|KILLED, "wall_s", "peak_memory_bytes"}
Times are milliseconds since 1970. A killed run leaves no end; when it is resumed (same stage, fingerprint and experiment), it appends to
the same record. A separate process (snowcoder.tracking.mirror) copies the record to MLflow. Nobody waits for it: it knows that the run
has ended when its standard input, a pipe from here, ends.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from snowcoder.pipeline import environment
from snowcoder.pipeline.console import say
from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.pipeline.stage import StageRun, peak_memory_bytes, stage_label, work_dir
from snowcoder.storage.journal import Entry, Journal
from snowcoder.tracking.context import all_params, run_tags, stage_params
from snowcoder.tracking.lineage import describe_inputs, describe_model
from snowcoder.tracking.records import FAULT, SUMMARY, mirror_log, records_folder, resume_record, summary_id
from snowcoder.tracking.system import SystemSampler

METRIC_NAME = re.compile(r"[\w./ :-]+", re.ASCII)  # what MLflow accepts: '@' for one is refused


class Record:
    """The open record of one run. Made by `track`."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.faults = 0
        self.first_fault = ""
        self._journal: Journal | None = None
        self._pipe: int | None = None  # its end tells the mirror that this process is gone
        self._sampler: SystemSampler | None = None
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write metrics, at `step` if there is one. Values are anything float() takes; a name that MLflow would refuse is a fault."""
        self._guarded(lambda: self._log(metrics, step))

    def log_model(self, folder: Path, published: Path) -> None:
        """Note that the model in `folder` will be published as `published`: its path and DVC hash, no copy."""
        self._guarded(lambda: self._write("model", **describe_model(folder, published)))

    def log_artifact(self, path: Path) -> None:
        """Keep a copy of a file for MLflow."""
        self._guarded(lambda: self._log_artifact(path))

    def _log(self, metrics: Mapping[str, float], step: int | None) -> None:
        refused = [name for name in metrics if not METRIC_NAME.fullmatch(name)]
        if refused:
            raise ValueError(f"metric names {refused}: allowed are letters, digits and _ - . / : space")
        self._write("metrics", step=step, metrics={name: float(value) for name, value in metrics.items()})

    def _log_artifact(self, path: Path) -> None:
        if self._journal is not None:
            kept = self._journal.path.with_suffix("") / path.name
            kept.parent.mkdir(exist_ok=True)
            shutil.copy(path, kept)
            self._write("artifact", file=str(kept.relative_to(self._journal.path.parent)))

    def _open(self, stage: str, item: str | None, fingerprint: str, inputs: Sequence[Path], summary: bool) -> None:
        mode = environment.text("SNOWCODER_TRACKING")
        if mode == "off":
            return
        tags, folder = run_tags(stage, item, fingerprint), records_folder(work_dir())
        name = f"{item}: {stage}" if item else stage
        if summary:
            name, tags["summary"] = tags["experiment_title"], "true"
            self._journal, n_samples = Journal(folder / f"{summary_id(tags['experiment'])}.jsonl"), 0
        else:
            identity = re.sub(r"[^\w.@-]", "_", f"{self.label}-{fingerprint}-{tags['experiment']}")
            self._journal, n_samples = resume_record(folder, identity) or (_new_record(folder, identity), 0)
        params = all_params() if summary else stage_params(stage, item)
        described = {"name": name, "record_id": self._journal.path.stem, "tags": tags, "params": params}
        self._write("start", **described, inputs=describe_inputs(inputs))
        if not summary:
            self._sampler = SystemSampler(self._write_sample, first_step=n_samples)
            self._sampler.start()
        if mode == "mlflow" and importlib.util.find_spec("mlflow") is not None:
            self._pipe = _start_mirror(self._journal.path)

    def _close(self, status: str) -> None:
        if self._journal is None:
            return
        if self._sampler is not None:
            self._sampler.stop()
        cost = {"wall_s": round(time.monotonic() - self._started, 3), "peak_memory_bytes": peak_memory_bytes()}
        try:
            self._write("end", status=status, **cost)
        finally:
            with self._lock:
                journal, self._journal = self._journal, None
            journal.close()
            if self._pipe is not None:
                os.close(self._pipe)
                self._report_mirror(mirror_log(journal.path))

    def _report_mirror(self, log: Path) -> None:
        with suppress(FileNotFoundError):  # the mirror has copied all and removed it
            faults = [line for line in log.read_text().splitlines() if line.startswith(FAULT)]
            if faults:
                advice = "the record is kept, `make sync-tracking` copies it"
                say(f"{self.label}: tracking: MLflow does not have this run yet ({faults[-1].removeprefix(FAULT)}); {advice}")

    def _write_sample(self, metrics: dict[str, float], step: int) -> None:
        self._guarded(lambda: self._write("system", step=step, metrics=metrics), strict=False)

    def _write(self, kind: str, **content: Any) -> None:
        entry: Entry = {"type": kind, "time": int(time.time() * 1000)} | content
        with self._lock:
            if self._journal is not None:
                self._journal.append(entry)

    def _guarded(self, action: Callable[[], None], strict: bool = True) -> None:
        try:
            action()
        except Exception as error:
            self.faults += 1
            self.first_fault = self.first_fault or f"{type(error).__name__}: {error}"
            if strict and environment.flag("SNOWCODER_TRACKING_STRICT"):
                raise

    def _report_faults(self) -> None:
        if self.faults:
            say(f"{self.label}: tracking: {self.faults} faults, which did not affect the run; the first: {self.first_fault}")


@contextmanager
def track(stage: str, item: str | None, fingerprint: str, inputs: Sequence[Path] = (), *, summary: bool = False) -> Iterator[Record]:
    """Record a run of `stage` (of `item`) while the block runs. The block's own errors pass through.

    inputs: paths that the run reads; those under data/ and models/ are named in its record.
    summary: the one run of a whole experiment, the parent of its other runs; a second one of the same experiment updates the first.
    """
    record = Record(SUMMARY if summary else stage_label(stage, item))
    record._guarded(lambda: record._open(stage, item, fingerprint, inputs, summary))
    try:
        yield record
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        record._guarded(lambda: record._close(status), strict=False)
        record._report_faults()
        raise
    record._guarded(lambda: record._close("FINISHED"))
    record._report_faults()


def track_run(run: StageRun, also: Sequence[Path] = ()) -> AbstractContextManager[Record]:
    """As `track`, of a stage's run. also: paths that it reads through its inputs, such as the model of its completions."""
    return track(run.stage, run.item, run.fingerprint, [*run.inputs, *also])


def _new_record(folder: Path, identity: str) -> Journal:
    """A record that nobody has; its name ends with the time in milliseconds."""
    number = int(time.time() * 1000)
    while (folder / f"{identity}-{number}.jsonl").exists():
        number += 1
    return Journal(folder / f"{identity}-{number}.jsonl", wait=False)


def _start_mirror(record: Path) -> int:
    """Start the process that copies this record to MLflow; returns the pipe that it watches."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE_ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "snowcoder.tracking.mirror", str(record)]
    reader, writer = os.pipe()
    try:
        mirror_log(record).unlink(missing_ok=True)
        with mirror_log(record).open("ab") as log:  # the mirror's folder is not ours, which may be a temporary workspace
            subprocess.Popen(command, stdin=reader, stdout=log, stderr=log, cwd=record.parent, env=variables, start_new_session=True)
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(reader)
    return writer

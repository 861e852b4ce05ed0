"""Runs one stage, or another program: command line, lock, resumable state, publication of its outputs.

State lives in `<work>/state/<stage>[@<item>]/<fingerprint>/`, where <work> is $SNOWCODER_WORK_DIR, or `.work`, both in the original
repository ($DVC_ROOT, also for temporary and queued experiments). Outputs are built there and copied to their final
names at the end, each atomically; then the state is removed, so that `dvc repro -f` really runs again. A kill at any moment leaves the
state, and the next run resumes from it. A second process on the same state waits and uses the finished result.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from filelock import FileLock, Timeout

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline import environment
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import Run
from snowcoder.pipeline.failures import failure_message
from snowcoder.pipeline.fingerprint import REPOSITORY_ROOT, fingerprint, hash_path
from snowcoder.pipeline.kept_lock import keep_lock_of_running_dvc
from snowcoder.pipeline.params import ParamsModel
from snowcoder.storage.files import fsync, write_json
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.workspace import original_root, untracked_hint

MODEL_STAGES = ("initialize_model", "train_annotator", "pretrain")


@dataclass(frozen=True)
class StageRun(Run):
    """One run of one stage, as its build function sees it; `run.map_shards` maps a function over a table.

    fingerprint: of params, inputs and code.
    inputs: the paths that the stage reads.
    """

    stage: str
    item: str | None
    fingerprint: str
    inputs: tuple[Path, ...] = ()

    @property
    def output(self) -> Path:
        """Where to build what will be published as `output_path(stage, item)`, a folder."""
        return self.out(output_path(self.stage, self.item))

    def out(self, final: Path) -> Path:
        """Where to build what will be published as `final`."""
        path = self.state / "outs" / final
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


Metrics = dict[str, Any]
Build = Callable[[StageRun], Metrics | None]  # writes the stage's output, returns its metrics


def output_path(stage: str, item: str | None = None) -> Path:
    """The stage's output: data/<stage>[/<item>], or models/<stage>[/<item>] of a stage that makes a model."""
    return Path("models" if stage in MODEL_STAGES else "data", stage, item or "")


def metrics_path(stage: str, item: str | None = None) -> Path:
    """The stage's metrics: metrics/<stage>[/<item>].json."""
    return Path("metrics", f"{stage}/{item}.json" if item else f"{stage}.json")


def stage_label(stage: str, item: str | None) -> str:
    """`pretrain@general`, or `split_files` for a stage without items."""
    return f"{stage}@{item}" if item else stage


def work_dir() -> Path:
    """The absolute folder of everything that is kept but not versioned: state, tracking records, times."""
    return (original_root() / environment.text("SNOWCODER_WORK_DIR")).absolute()


def command_line(main: Callable[..., None]) -> None:
    """Run a stage's main, with its item if it has one; errors that the user can fix end in their message and exit code 1."""
    parser = argparse.ArgumentParser(description=sys.modules[main.__module__].__doc__)
    if main.__code__.co_argcount == 1:
        parser.add_argument("--item", required=True, help="the stage's item in dvc.yaml, e.g. general or HQINS")
    arguments = parser.parse_args()
    _check_params()
    keep_lock_of_running_dvc(work_dir())
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a stage in the background may ignore it
        signal.signal(signal.SIGINT, _interrupt)
    run_command(partial(main, *vars(arguments).values()))


def _interrupt(_: int, frame: FrameType | None) -> None:
    """Ctrl-C asks a stage to end as SIGTERM does, if it handles that; otherwise, or if pressed again, it ends it at once."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end = signal.getsignal(signal.SIGTERM)
    if not callable(end):
        raise KeyboardInterrupt
    # not by print, which a signal may interrupt
    os.write(2, b"interrupted: ending this step, then saving it; once more to end at once\n")
    end(signal.SIGTERM, frame)


def run_tool(main: Callable[[], None]) -> None:
    """Run `main` of a program of tools/, which works in the root of the repository alone."""
    if not Path("dvc.yaml").is_file():
        sys.exit(f"error: dvc.yaml: not found in {Path.cwd()}; run from the root of the repository, as `make` does")
    run_command(main)


def run_command(main: Callable[[], None], *folders: Path) -> None:
    """Run `main`; what the user can fix ends in its message and exit code 1. folders: where it writes, beyond the usual places."""
    try:
        main()
    except KeyboardInterrupt:
        say("interrupted; finished work is kept: run the same command again")
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        message = failure_message(error, [work_dir(), Path.cwd(), Path(tempfile.gettempdir()), *folders])
        if message is None:
            raise
        sys.exit(f"error: {message}{untracked_hint(message)}")


def _check_params() -> None:
    """Check params.yaml when a person runs a stage by hand (DVC's graph begins with this check). Exits with the faults.

    In a separate process, since an import would make every stage depend on the parameters of all.
    """
    program = sys.modules["__main__"].__spec__
    by_hand = program is not None and program.name.startswith("stages.") and "DVC_STAGE" not in os.environ
    if not by_hand or os.environ.get("RANK", "0") != "0" or not Path("dvc.yaml").exists():
        return
    checked = subprocess.run([sys.executable, "-m", "snowcoder.configuration.checking"], check=False)
    if checked.returncode:
        sys.exit(checked.returncode)


def run_stage(
    stage: str,
    params: Sequence[ParamsModel],
    inputs: Sequence[Path],
    build: Build,
    item: str | None = None,
    outputs: Sequence[Path] | None = None,
) -> None:
    """Call `build` under the lock of this fingerprint, and publish what it wrote to `run.output` and the metrics that it returns.

    outputs: of a stage that has others than its output and its metrics; it writes each to `run.out(path)`.
    """
    metrics_file = metrics_path(stage, item)
    outputs = [output_path(stage, item), metrics_file] if outputs is None else outputs
    key = stage_fingerprint(stage, params, inputs)
    state = work_dir() / "state" / stage_label(stage, item) / key
    run = StageRun(state, stage_label(stage, item), stage, item, key, tuple(inputs))
    state.mkdir(parents=True, exist_ok=True)
    finished = state.with_name(f"{key}.finished.json")
    with _locked(state.with_name(f"{key}.lock"), run.label) as waited:
        if waited and _take_finished(finished, outputs):
            say(f"{run.label}: the other process has finished; its result is used")
            return
        state.mkdir(parents=True, exist_ok=True)
        metrics = build(run)
        if metrics is not None:
            write_metrics(run.out(metrics_file), metrics)
        for path in outputs:
            publish(run.out(path), path)
        write_json(finished, {str(path): [str(path.absolute()), hash_path(path)] for path in outputs})
        _write_times(run)
        _remove_state(state)


def stage_fingerprint(stage: str, params: Sequence[ParamsModel], inputs: Sequence[Path]) -> str:
    """The fingerprint of a run of `stage` now: of its params, inputs and code."""
    return fingerprint([section.model_dump(mode="json") for section in params], inputs, REPOSITORY_ROOT / "stages" / f"{stage}.py")


def publish(built: Path, final: Path) -> None:
    """Copy a file or folder to its final name: complete under a temporary name, then renamed. Raises SnowcoderError if it was not built."""
    if not built.exists():
        raise SnowcoderError(f"{final}: was not built; this is a bug in the stage that should write it")
    final.parent.mkdir(parents=True, exist_ok=True)
    for stale in final.parent.glob(f".{final.name}.*.partial"):
        _remove(stale)
    partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
    try:
        _copy_to_disk(built, partial)
    except BaseException:
        _remove(partial)
        raise
    _remove(final)
    partial.rename(final)


def _copy_to_disk(source: Path, target: Path) -> None:
    """Copy a file or folder and wait until it is on disk. Raises OSError."""
    if not source.is_dir():
        shutil.copy(source, target)
        fsync(target)
        return
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.partial"))  # of a file that a kill interrupted
    for path in target.rglob("*"):
        if path.is_file():
            fsync(path)


@contextmanager
def _locked(path: Path, label: str) -> Iterator[bool]:
    """Hold the lock of one state; yields whether it had to wait for another process."""
    lock = FileLock(path)
    waited = False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waited = True
        say(f"{label}: another process is working on the same state ({path.parent}); waiting for its result")
        lock.acquire()
    try:
        yield waited
    finally:
        lock.release()


def _take_finished(record: Path, outputs: Sequence[Path]) -> bool:
    """Use what another process has just published, also from another workspace; False if it failed or its files have changed."""
    if not record.exists():
        return False
    published: dict[str, Any] = json.loads(record.read_text())
    for path in outputs:
        source, digest = Path(published[str(path)][0]), published[str(path)][1]
        if not source.exists() or hash_path(source) != digest:
            return False
        if source != path.absolute():
            publish(source, path)
    return True


def _remove_state(state: Path) -> None:
    """Renamed first: a kill during deletion must not leave a half-deleted state that looks resumable."""
    done = state.with_name(f"{state.name}.{os.getpid()}.done")
    state.rename(done)
    shutil.rmtree(done, ignore_errors=True)


def peak_memory_bytes() -> int:
    """Of this process, or of its largest child that has ended."""
    return 1024 * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _write_times(run: StageRun) -> None:
    wall_s = time.time() - psutil.Process().create_time()  # including the imports, for which a person waits too
    times = {"stage": run.label, "wall_s": round(wall_s, 2), "peak_memory_bytes": peak_memory_bytes()}
    write_json(work_dir() / "times" / f"{run.label}.json", times)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

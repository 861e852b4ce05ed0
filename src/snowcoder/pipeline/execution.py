"""Runs one pure function over the shards of a table, on one of several backends, resumable at every shard.

The backend and the number of workers come from the environment, never from params.yaml, because they are not part of a result's identity:
  SNOWCODER_EXECUTOR  serial | processes | ray  (default: processes where more than one worker is asked for)
  SNOWCODER_WORKERS   number of worker processes (default: the processors this process may use)
  RAY_ADDRESS         the Ray cluster, see snowcoder.pipeline.ray_backend
Results, and the bytes of the shards written, are the same for every setting.
"""

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.pipeline import environment
from snowcoder.pipeline.console import progress
from snowcoder.storage.files import write_json
from snowcoder.storage.shards import read_shard, shard_name, write_manifest, write_shard

Outputs = dict[str, tuple[Path, pa.Schema]]  # table name -> (folder, schema)
Task = Callable[[tuple[Path, str]], None]  # an input shard, and the name of its output shards
Runner = Callable[[Task, Sequence[tuple[Path, str]]], Iterator[None]]


@dataclass(frozen=True)
class ShardResult:
    """What a shard function returns: rows per output table, and a small JSON-serialisable summary (counts, say)."""

    tables: dict[str, pa.Table]
    summary: dict[str, Any] = field(default_factory=dict)


def executor_name() -> str:
    """The backend that the environment chooses. Raises ParameterError if it is unknown."""
    return environment.text("SNOWCODER_EXECUTOR", "processes" if worker_count() > 1 else "serial")


def worker_count() -> int:
    """Number of workers chosen by the environment. Raises ParameterError unless it is a positive whole number."""
    return environment.positive_int("SNOWCODER_WORKERS", len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class Run:
    """Work that resumes after a kill.

    state: the folder that is kept between kills; anything resumable goes there.
    label: the work's name in progress lines.
    """

    state: Path
    label: str

    def map_shards(
        self,
        function: Callable[[pa.Table], ShardResult],
        inputs: Sequence[Path],
        outputs: Outputs,
        backend: str | None = None,
        threads_per_worker: int | None = None,
    ) -> list[dict[str, Any]]:
        """Apply `function` to every shard of `inputs`; return the summaries in the order of the shards.

        function: pure and picklable (a module-level function, or functools.partial of one): Arrow table -> ShardResult.
        outputs: table name -> (folder, schema); each input shard becomes one shard in each folder, then the manifest is written.
        backend: instead of the environment's.
        threads_per_worker: how many threads `function` itself runs (a model): one process for so many processors, on this machine only.
        Shards that were finished before a kill are not computed again.
        """
        markers = self.state / "shards"
        named = list(zip(inputs, _output_names(inputs), strict=True))
        pending = [(path, name) for path, name in named if not _is_finished(markers, name, outputs)]
        workers = worker_count() // (threads_per_worker or 1)
        if threads_per_worker and (workers < 2 or executor_name() != "processes"):
            backend = "serial"
        runners: dict[str, Runner] = {"serial": map, "processes": partial(_run_processes, workers=workers), "ray": _run_ray}
        run = runners[backend or executor_name()]
        task = partial(_run_one, function, outputs, markers)
        for _ in progress(run(task, pending), len(pending), self.label):
            pass
        for folder, schema in outputs.values():
            write_manifest(folder, schema)
        return [json.loads(_marker(markers, name).read_text()) for _, name in named]


def map_items(function: Callable[[Any], Any], items: Sequence[Any], label: str, releases_gil: bool = False) -> list[Any]:
    """Apply a pure, picklable function to every item; results in the order of the items, whatever the backend.

    releases_gil: the function spends its time in compiled code that does not hold Python's lock (Arrow, numba's nogil, hashlib), so that
    threads of this process are as fast as processes, and need no start and no imports.
    """
    if executor_name() == "serial" or len(items) < 2:
        return [function(item) for item in progress(items, len(items), label)]
    if executor_name() == "ray":
        return _map_on_ray(function, items, label)
    if releases_gil:
        with ThreadPoolExecutor(worker_count()) as threads:
            return list(progress(threads.map(function, items), len(items), label))
    with _pool(worker_count()) as pool:
        chunk = max(1, len(items) // (worker_count() * 8))
        return list(progress(pool.map(function, items, chunksize=chunk), len(items), label))


def _output_names(inputs: Sequence[Path]) -> list[str]:
    """The inputs' own names; numbered in their order where inputs of several tables have names in common."""
    names = [path.name for path in inputs]
    return names if len(set(names)) == len(names) else [shard_name(index) for index in range(len(inputs))]


def _marker(markers: Path, name: str) -> Path:
    return (markers / name).with_suffix(".json")


def _is_finished(markers: Path, name: str, outputs: Outputs) -> bool:
    written = all((folder / name).exists() for folder, _ in outputs.values())
    return written and _marker(markers, name).exists()


def _run_one(function: Callable[[pa.Table], ShardResult], outputs: Outputs, markers: Path, shard: tuple[Path, str]) -> None:
    path, name = shard
    result = function(read_shard(path))
    for table, (folder, schema) in outputs.items():
        write_shard(folder / name, result.tables[table], schema)
    write_json(_marker(markers, name), result.summary)


def _run_processes(task: Task, shards: Sequence[tuple[Path, str]], workers: int) -> Iterator[None]:
    with _pool(workers) as pool:
        for future in as_completed([pool.submit(task, shard) for shard in shards]):
            yield future.result()


def _run_ray(task: Task, shards: Sequence[tuple[Path, str]]) -> Iterator[None]:
    from snowcoder.pipeline.ray_backend import run_tasks  # an extra

    for _ in run_tasks(task, shards, worker_count()):
        yield


def _map_on_ray(function: Callable[[Any], Any], items: Sequence[Any], label: str) -> list[Any]:
    from snowcoder.pipeline.ray_backend import processors, run_tasks  # an extra

    batch = max(1, len(items) // (processors(worker_count()) * 8))
    batches = [items[start : start + batch] for start in range(0, len(items), batch)]
    finished = dict(progress(run_tasks(partial(_map_batch, function), batches, worker_count()), len(batches), label))
    return [result for place in range(len(batches)) for result in finished[place]]


def _map_batch(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return [function(item) for item in items]


def _end_with_parent() -> None:
    """In a worker: exit when the stage is gone (after kill -9 it cannot say so), or orphans would keep writing into its state."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn: a forked child of a process with threads (Arrow, torch) can deadlock
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

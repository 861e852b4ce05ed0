"""The Ray backend of snowcoder.pipeline.execution: runs the same pure functions as tasks on a Ray cluster's nodes.

  RAY_ADDRESS       the cluster, `auto` or host:port; without it one of SNOWCODER_WORKERS processors starts on this machine
  SNOWCODER_WORKERS does not apply to a cluster: a task uses one processor, and nodes may come and go while a stage runs

Every node must see the repository, its work folder and the environment under the same paths (a shared file system). A worker imports the
code that this process imports, works in its folder, and gets its SNOWCODER_ variables, without secrets, and one thread. A task of a node
that dies runs again elsewhere; as shard functions are pure and each file is written under a temporary name, a half-written one is harmless.
"""

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from snowcoder.errors import ExecutionError, ParameterError
from snowcoder.pipeline import environment

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ImportError as error:
    raise ParameterError(
        "environment: SNOWCODER_EXECUTOR: found 'ray', which is not installed: `pip install -c constraints.txt -e '.[ray]'` on every node"
    ) from error

# A node's death costs each of its tasks a retry; a task that kills its own worker (out of memory) must end eventually
MAX_RETRIES = 5
COLOUR = re.compile(r"\x1b\[\d+m")
TASKS_PER_PROCESSOR = 4  # waiting or running: enough to keep every node at work, and few enough for a corpus of any size
LOCAL_OBJECT_STORE_BYTES = 2**28
# Where tasks read from and what they may use; no keys: nodes have their own, and Ray shows a task's environment to everyone
PASSED_NAMES = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "HF_HOME", "HF_HUB_OFFLINE")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


def run_tasks(function: Callable[[Any], Any], items: Sequence[Any], local_processors: int) -> Iterator[tuple[int, Any]]:
    """(place, function(item)) of every item, in the order in which they are finished.

    function: pure and picklable. local_processors: of the cluster that is started if RAY_ADDRESS names none. What the function raises is
    raised here unchanged, with the remote traceback as a note, and not retried. Raises ExecutionError if a task's worker dies
    repeatedly or cannot start.
    """
    _connect(local_processors)
    task = ray.remote(_call).options(num_cpus=1, max_retries=MAX_RETRIES, runtime_env={"env_vars": worker_environment()})
    shared, folder = ray.put(function), str(Path.cwd())
    waiting = enumerate(items)
    running: dict[Any, int] = {}
    try:
        while True:
            for place, item in islice(waiting, max(0, processors(local_processors) * TASKS_PER_PROCESSOR - len(running))):
                running[task.remote(shared, folder, item)] = place
            if not running:
                return
            finished, _ = ray.wait(list(running), num_returns=1)
            place = running.pop(finished[0])
            yield place, _result(finished[0], place)
    finally:
        for reference in running:
            ray.cancel(reference)


def processors(local_processors: int) -> int:
    """Processors of the cluster as it is now."""
    _connect(local_processors)
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def worker_environment() -> dict[str, str]:
    """Environment variables of a worker: this process's code and SNOWCODER_ variables, no secret ones; one thread; no nested workers."""
    own = (Path(sys.prefix), Path(sys.base_prefix))
    code = [str(path) for path in map(Path.absolute, map(Path, sys.path)) if path.is_dir() and not any(map(path.is_relative_to, own))]
    secret = {name for name, variable in environment.VARIABLES.items() if variable.is_secret}
    ours = {name for name in os.environ if name.startswith("SNOWCODER_")} - secret
    passed = {name: value for name, value in os.environ.items() if name in ours or name in PASSED_NAMES}
    serial = {"SNOWCODER_EXECUTOR": "serial", "SNOWCODER_WORKERS": "1"}
    return {**passed, **serial, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(dict.fromkeys(code))}


def _connect(local_processors: int) -> None:
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    local: dict[str, Any] = {"num_cpus": local_processors, "object_store_memory": LOCAL_OBJECT_STORE_BYTES, "include_dashboard": False}
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.WARNING, **({} if address else local))
    except (ConnectionError, ValueError, RuntimeError) as error:
        found = f"environment: RAY_ADDRESS: found {address!r}: {error}"
        raise ParameterError(f"{found}; allowed: `auto` on a node of a running cluster, or host:port of its head") from error


def _call(function: Callable[[Any], Any], folder: str, item: Any) -> Any:
    os.chdir(folder)  # the paths of a stage are relative
    return function(item)


def _result(reference: Any, place: int) -> Any:
    """The result of a finished task, or its error as it was raised."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        cause = getattr(error, "cause", None)
        if not isinstance(cause, Exception) or isinstance(cause, RayError):
            raise ExecutionError(f"task {place} on Ray: {error}") from None
        cause.add_note(f"On a Ray worker:\n{COLOUR.sub('', str(error))}")
        raise cause from None
    except RayError as error:
        advice = "if it ran out of memory, give its node more or smaller shards; if nodes were lost, run again: finished shards are kept"
        found = f"task {place} on Ray: its worker ended {MAX_RETRIES + 1} times or could not start"
        raise ExecutionError(f"{found} ({error}); {advice}") from error

"""Starts and kills a real `vllm serve` from this environment."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STARTS_S = 240.0
# room for keys and values, and threads that go where the machine has time, on a machine of two cores
SMALL_MACHINE = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def vllm_serve(folder: Path, port: int, log: Path, window_tokens: int, options: Sequence[str] = ()) -> Iterator[subprocess.Popen]:
    """A server that answers; killed at the end, with all that it started."""
    # what `vllm serve` runs; the command itself asks for the metadata of a package `vllm`, which is called vllm-cpu here
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", "tiny"]
    command += ["--generation-config", "vllm", *options]
    place = ["--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--max-model-len", str(window_tokens)]
    with log.open("wb") as sink:
        process = subprocess.Popen([*command, *place], stdout=sink, stderr=sink, start_new_session=True)
    try:
        deadline = time.monotonic() + STARTS_S
        while not _is_healthy(port):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"vllm serve does not answer after {STARTS_S} s: {log.read_text()[-3000:]}"
            time.sleep(0.5)
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """kill -9 of the server and its engine, which share a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False

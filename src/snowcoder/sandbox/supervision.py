"""Reads a running program's output within limits of time and size, and makes sure that nothing of it stays behind."""

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from typing import Literal

Stop = Literal["", "timeout", "output"]
CHUNK_BYTES = 2**16


def watch(process: subprocess.Popen[bytes], timeout_s: float, max_output_bytes: int) -> tuple[bytes, Stop]:
    """(what the process sent, why it was stopped: '' if it ended by itself); it has ended on return."""
    assert process.stdout is not None
    deadline = time.monotonic() + timeout_s
    try:
        output, stop = _read(process.stdout.fileno(), deadline, max_output_bytes)
        if not stop:
            process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:  # it has closed its output and keeps running
        stop = "timeout"
    finally:
        # its process group: bwrap, whose own children the kernel kills with it; without bwrap, the program's children too
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    return output, stop


def _read(descriptor: int, deadline: float, max_bytes: int) -> tuple[bytes, Stop]:
    poll = select.poll()  # select.select refuses descriptors from 1024
    poll.register(descriptor, select.POLLIN)
    output = b""
    while len(output) <= max_bytes:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not poll.poll(remaining * 1000):
            return output, "timeout"
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            return output, ""
        output += chunk
    return output, "output"

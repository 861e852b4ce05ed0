"""Runs many calls of trusted code that executes untrusted code, each in a forked process of one warm isolated interpreter.

in: module sources once, then (function, argument bytes) per call   out: Outcome and, where it passed, result bytes

run_program starts bwrap and an interpreter for every program; most of that time goes into what is the same each time. A Workshop starts
both once and forks for each call (zygote.py). What program.py says of isolation holds: the namespaces, mounts and limits are the same, and
each fork puts on the same filter of system calls before it runs anything untrusted: it can make no process and is alone while it runs.

Shared between calls, unlike there: the interpreter's start (each call gets a copy-on-write copy of its memory, as it was before any call
ran), the process-id namespace, and /tmp, which is looked through after each call: a call that leaves a file there, or ends the interpreter,
gets the next one a new bwrap. A call can end the interpreter (then it is itself the one that failed), but change nothing in it.

As in program.py, a result counts only with the nonce of its call: a call that ends early has not passed. That is no guard against a program
written to cheat, which shares its process with the function that judges it.
"""

import inspect
import json
import os
import secrets
import select
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Self

from snowcoder.errors import SandboxError
from snowcoder.sandbox import zygote
from snowcoder.sandbox.isolation import FIX, program_user, started
from snowcoder.sandbox.mounts import PACKAGES_FOLDER
from snowcoder.sandbox.program import MAX_DETAIL_CHARACTERS, Outcome, SandboxLimits, _resource_limits
from snowcoder.sandbox.seccomp import ALLOW, RETURN, one_process_filter

GRACE_S = 60.0  # for the interpreter to answer, beyond a call's own time
MAX_KEPT_BYTES = 2**26  # kept over the calls so far: then the next call that keeps something gets a new interpreter, for the memory's sake
TMP_BYTES = 16 * 2**20
READY = len(b"ready").to_bytes(8, "little") + b"ready"


@dataclass(frozen=True, slots=True)
class Returned:
    """outcome: how the call ended. result: what the function returned; empty unless the outcome is `passed`."""

    outcome: Outcome
    result: bytes = b""


class Workshop:
    """One isolated interpreter, for one thread. A context manager.

    modules: in the order of their imports of each other. starts: how often the interpreter was started; what it keeps (call's `keep`) is
    lost when that changes.
    """

    def __init__(self, modules: Sequence[ModuleType], tmp_bytes: int = TMP_BYTES, packages: Sequence[str] = ()) -> None:
        sources = [(module.__name__, inspect.getsource(module)) for module in modules]
        folders = [PACKAGES_FOLDER] if packages else []
        self._setup = json.dumps(
            {"modules": sources, "seccomp": one_process_filter().hex(), "folders": folders, "user": program_user()}
        ).encode()
        self._tmp_bytes = tmp_bytes
        self._packages = tuple(packages)
        self._resources = ExitStack()
        self._stdin = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0
        self._kept_bytes = 0
        self.starts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def is_running(self) -> bool:
        """The interpreter of the last call is still there, with what it keeps."""
        return self._process is not None

    def call(
        self,
        function: Callable[[bytes], bytes],
        argument: bytes,
        limits: SandboxLimits,
        keep: Callable[[bytes, bytes], bytes] | None = None,
    ) -> Returned:
        """Run a function of the modules on `argument`. limits.max_output_bytes bounds the result. Raises SandboxError if isolation fails.

        keep: a function of the same module, called in the interpreter itself with argument and result, for what later calls are to find
        there; its own result is returned instead. It must be safe with any bytes: the call may have been made to send what it likes.
        """
        if keep and self._kept_bytes > MAX_KEPT_BYTES:
            self.end()
        if self._process is None:
            self._start()
        nonce = secrets.token_hex(16)
        header = {
            "module": function.__module__,
            "function": function.__name__,
            "keep": keep.__name__ if keep else "",
            "nonce": nonce,
            "limits": _resource_limits(limits),
            "timeout_s": limits.timeout_s,
            "max_result_bytes": limits.max_output_bytes,
        }
        self._deadline = time.monotonic() + limits.timeout_s + GRACE_S
        try:
            self._send(json.dumps(header).encode(), argument)
            outcome, output = json.loads(self._receive()), self._receive()
        except (EOFError, BrokenPipeError):
            self.end()
            return Returned(Outcome("killed", "ended the interpreter that was to judge it"))
        self._kept_bytes += outcome["kept_bytes"]
        if not outcome["clean"]:
            self.end()
        return _judge(outcome["stop"], outcome["status"], output, nonce.encode(), limits)

    def _start(self) -> None:
        self.starts += 1
        self._kept_bytes = 0
        reading, self._stdin = os.pipe()
        try:
            # each fork installs the filter: the interpreter itself must be able to fork
            isolated = started(reading, self._tmp_bytes, self._packages, inspect.getsource(zygote), no_filter())
            self._process = self._resources.enter_context(isolated)
        finally:
            os.close(reading)
        self._deadline = time.monotonic() + GRACE_S
        try:
            self._send(self._setup)
            said = self._read(len(READY))
        except (EOFError, BrokenPipeError):
            said = b""
        if said != READY:
            said += self._process.stdout.read(500) if self._process.stdout else b""
            self.end()
            raise SandboxError(
                f"sandbox: bwrap ended before its first call: {said.decode(errors='replace').strip() or 'no message'}; {FIX}"
            )

    def end(self) -> None:
        """End the interpreter; the next call starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        os.close(self._stdin)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # all that bwrap has started dies with it
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._resources.close()

    def _send(self, *frames: bytes) -> None:
        for frame in frames:
            view = memoryview(len(frame).to_bytes(8, "little") + frame)
            while view:
                view = view[os.write(self._stdin, view) :]

    def _receive(self) -> bytes:
        return self._read(int.from_bytes(self._read(8), "little"))

    def _read(self, size: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        parts = []
        while size:
            # a call may stop the interpreter, which then answers no more
            if not poll.poll(max(0.0, self._deadline - time.monotonic()) * 1000):
                raise EOFError
            part = os.read(self._process.stdout.fileno(), min(size, 2**20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def no_filter() -> bytes:
    """A filter of system calls that allows all of them."""
    return struct.pack("<HBBI", RETURN, 0, 0, ALLOW)


def _judge(stop: str, status: int, output: bytes, nonce: bytes, limits: SandboxLimits) -> Returned:
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if stop == "timeout" or ended_by == signal.SIGXCPU:
        return Returned(Outcome("timeout", f"more than {limits.cpu_s} s of processor time or {limits.timeout_s:g} s of wall time"))
    if stop == "output":
        return Returned(Outcome("killed", f"returned more than {limits.max_output_bytes} bytes"))
    if ended_by:
        return Returned(Outcome("killed", f"signal {ended_by}"))
    if output.startswith(nonce) and os.WEXITSTATUS(status) == 0:
        return Returned(Outcome("passed", ""), output[len(nonce) :])
    message = " ".join(output[1:].decode(errors="replace").split())[:MAX_DETAIL_CHARACTERS]
    if output == b"!MemoryError":
        return Returned(Outcome("out_of_memory", "MemoryError"))
    return Returned(Outcome("failed", message or f"exited with {os.WEXITSTATUS(status)} before its end"))

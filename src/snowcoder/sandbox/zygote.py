"""Runs inside the sandbox, as the one warm interpreter of a Workshop (workshop.py): runs each call in a fork of itself.

in, on standard input: frames (8 bytes of length, little endian, then as many bytes): first JSON {modules: [[name, source], …],
    seccomp: hex, folders: appended to sys.path, user: whom a fork becomes, or null}; then for each call
    JSON {module, function, keep: function or '', nonce, limits: [[resource, soft, hard], …],
    timeout_s, max_result_bytes}, and the argument
out, on standard output: a frame `ready`; then for each call JSON {stop: '' | timeout | output, status: as os.waitpid, clean, kept_bytes},
    and what the fork sent: its nonce and the result if the function returned, `!` and a message if it raised. With `keep`, the result stays
    here: keep(argument, result) is called in this interpreter, for later forks to find what it keeps, and what it returns is sent instead

Only the modules that the parent sends run here, and in the fork before the untrusted code. A fork has no descriptor but its own pipe; it is
ended before the next call is read. `clean` is false when it has left a file in /tmp or is still there: then the parent replaces this
interpreter. Nothing of snowcoder is imported here but what was sent.
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
import types
from typing import Any

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
INSTRUCTION_BYTES = 8


class Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def main() -> None:
    """Load the modules, then serve calls until standard input ends."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.closerange(max(requests, answers, null) + 1, 4096)
    os.close(null)
    folder = os.getcwd()
    setup = json.loads(_read_frame(requests) or b"{}")
    sys.path += setup["folders"]
    for name, source in setup["modules"]:
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    seccomp, prctl = bytes.fromhex(setup["seccomp"]), ctypes.CDLL(None, use_errno=True).prctl
    _write_frame(answers, b"ready")
    while (header := _read_frame(requests)) is not None:
        argument = _read_frame(requests) or b""
        call = json.loads(header)
        outcome, output = _serve(call, argument, (requests, answers), setup["user"], seccomp, prctl)
        outcome["clean"] = outcome["clean"] and not os.listdir(folder)
        nonce = call["nonce"].encode()
        outcome["kept_bytes"] = len(output) if call["keep"] else 0
        if call["keep"] and output.startswith(nonce):
            output = nonce + getattr(sys.modules[call["module"]], call["keep"])(argument, output[len(nonce) :])
        _write_frame(answers, json.dumps(outcome).encode())
        _write_frame(answers, output)


def _serve(
    call: dict[str, Any], argument: bytes, inherited: tuple[int, int], user: int | None, seccomp: bytes, prctl: Any
) -> tuple[dict[str, Any], bytes]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor in (*inherited, reading):
                os.close(descriptor)
            _confine(call["limits"], user, seccomp, prctl)
            _call(call, argument, writing)
        finally:
            os._exit(1)
    os.close(writing)
    output, stop = _collect(reading, pid, call["timeout_s"], call["max_result_bytes"])
    os.close(reading)
    if stop:
        try:
            os.kill(pid, signal.SIGKILL)
        except PermissionError:  # the fork is another user: the parent learns that this place is not clean and ends all of it
            return {"stop": stop, "status": 0, "clean": False}, output
    return {"stop": stop, "status": os.waitpid(pid, 0)[1], "clean": True}, output


def _confine(limits: list[list[int]], user: int | None, seccomp: bytes, prctl: Any) -> None:
    """User, limits and filter of this process, for good."""
    if user is not None:
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    for kind, soft, hard in limits:
        inherited = resource.getrlimit(kind)[1]
        most = hard if inherited == resource.RLIM_INFINITY else min(hard, inherited)
        resource.setrlimit(kind, (min(soft, most), most))
    program = Program(len(seccomp) // INSTRUCTION_BYTES, seccomp)
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
        os._exit(1)


def _call(call: dict[str, Any], argument: bytes, writing: int) -> None:
    try:
        result = call["nonce"].encode() + getattr(sys.modules[call["module"]], call["function"])(argument)
    except MemoryError:
        result = b"!MemoryError"
    except BaseException as error:
        result = f"!{type(error).__name__}: {error}".encode("utf-8", "replace")
    view = memoryview(result)
    while view:
        view = view[os.write(writing, view) :]
    os._exit(0)


def _collect(reading: int, pid: int, timeout_s: float, max_bytes: int) -> tuple[bytes, str]:
    """(what the fork sent, why it must be stopped: '' if it has ended)."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(ended, select.POLLIN)
    deadline, size = time.monotonic() + timeout_s, 0
    parts: list[bytes] = []
    try:
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
            if not ready:
                return b"".join(parts), "timeout"
            if reading in ready:
                chunk = os.read(reading, 2**20)
                parts.append(chunk)
                size += len(chunk)
                if size > max_bytes:
                    return b"", "output"
                if chunk:
                    continue
                poll.unregister(reading)
            if ended in ready:
                return b"".join(parts), ""
    finally:
        os.close(ended)


def _read_frame(descriptor: int) -> bytes | None:
    head = _read_exactly(descriptor, 8)
    return None if head is None else _read_exactly(descriptor, int.from_bytes(head, "little"))


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = os.read(descriptor, min(size, 2**20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write_frame(descriptor: int, content: bytes) -> None:
    view = memoryview(len(content).to_bytes(8, "little") + content)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    main()

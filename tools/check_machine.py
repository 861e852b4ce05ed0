"""What `make repro` checks in its first seconds: Python, processor, memory, compiler, isolation of untrusted programs.

Prints one line per check with the fix; exits 1 if the pipeline cannot run here.
"""

import os
import platform
import shutil
import sys
from pathlib import Path

from snowcoder.errors import SandboxError
from snowcoder.sandbox.isolation import is_unsafe
from snowcoder.sandbox.program import check_sandbox

MIN_MEMORY_BYTES = 6 * 2**30


def check_python() -> str | None:
    """None if the interpreter is recent enough, else what to do."""
    return None if sys.version_info >= (3, 11) else f"Python {platform.python_version()} is too old: install Python 3.11 or newer"


def check_platform() -> str | None:
    """None on Linux, else what to do."""
    return None if sys.platform == "linux" else f"{sys.platform} is not supported: the sandbox needs Linux (a virtual machine will do)"


def check_isolation() -> str | None:
    """None if untrusted programs can be isolated, else what to do."""
    try:
        check_sandbox()
    except SandboxError as error:
        return str(error)
    return None


def describe_processor() -> str:
    """Processors, memory and the instructions that decide the speed of training."""
    flags = set(Path("/proc/cpuinfo").read_text().split()) if Path("/proc/cpuinfo").exists() else set()
    bf16 = next((name for name in ("amx_bf16", "avx512_bf16") if name in flags), None)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    note = "" if memory >= MIN_MEMORY_BYTES else " (less than the 6 GiB that the nano profile may use)"
    arithmetic = bf16 or "no bf16 instructions: training will be slower"
    return f"{len(os.sched_getaffinity(0))} processors, {memory / 2**30:.0f} GiB memory{note}, {arithmetic}"


def main() -> None:
    """Print the checks; exit 1 if one of them stops the pipeline."""
    problems = [problem for problem in (check_python(), check_platform(), check_isolation()) if problem]
    print(f"machine: {describe_processor()}")
    compiler = shutil.which("c++") or shutil.which("g++")
    print(f"compiler: {compiler or 'none: training runs eagerly'}")
    print("isolation: " + ("see below" if problems else "NONE, as the environment asks" if is_unsafe() else "bubblewrap works"))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

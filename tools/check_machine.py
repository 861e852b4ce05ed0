"""Checks the machine when `make repro` starts: Python, processor, memory, disk, GPU, compiler, isolation of untrusted programs.

in: this machine, its environment, params.yaml
out: one line per check, with a fix if one is needed; exits 1 if the pipeline cannot run here.
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snowcoder.errors import DeviceError, ParameterError, SandboxError
from snowcoder.pipeline.accelerator import DEVICE_FILES, DRIVER_VERSION, device_type, nvidia_driver
from snowcoder.pipeline.environment import VARIABLES, faults, text
from snowcoder.pipeline.param_faults import did_you_mean
from snowcoder.pipeline.params import PARAMS_PATH, read_yaml
from snowcoder.sandbox.isolation import is_unsafe
from snowcoder.sandbox.program import check_sandbox

GIB = 2**30
# The nano profile: the largest stage was seen to use 1.5 GiB; caches, checkpoints and DVC's copies of them are below 3 GiB
MIN_MEMORY_BYTES = 6 * GIB
MIN_FREE_DISK_BYTES = 4 * GIB
# One of these exists where torch may find a GPU: looking is cheaper than importing torch, which takes two seconds
GPU_FILES = (*DEVICE_FILES, DRIVER_VERSION, Path("/dev/kfd"), Path("/dev/dxg"))
CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")


def check_python() -> str | None:
    """None if the interpreter is one of those that the pins are made for, else what to do."""
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return None
    return f"Python {platform.python_version()}: snowcoder needs 3.11, 3.12 or 3.13: make setup PYTHON=python3.12"


def check_platform() -> str | None:
    """None on Linux, else what to do."""
    return None if sys.platform == "linux" else f"{sys.platform} is not supported: the sandbox needs Linux (a virtual machine will do)"


def check_isolation() -> str | None:
    """None if untrusted programs can be isolated, else what to do."""
    try:
        check_sandbox()
    except (SandboxError, ParameterError) as error:
        return str(error)
    return None


def check_gpu(params: dict[str, Any]) -> str | None:
    """None if the GPU that this machine has, or that params.yaml asks for, can be used, else what to do."""
    try:
        if params.get("embed_files", {}).get("device") == "cuda":
            device_type("cuda")
        elif may_have_gpu() or text("SNOWCODER_DEVICE") == "cuda":
            device_type()
    except (DeviceError, ParameterError) as error:
        return str(error)
    return None


def may_have_gpu() -> bool:
    """Whether anything of a GPU can be seen on this machine."""
    return any(path.exists() for path in GPU_FILES)


def check_compiler(params: dict[str, Any], on_gpu: bool) -> str | None:
    """None if nothing here is compiled at run time, or it can be: by torch.compile, or by Triton, whose kernels are launched through C."""
    asks = []
    if params.get("pretrain", {}).get("shared", {}).get("compile") is True:
        asks.append("pretrain.shared.compile: true")
    if on_gpu and find_spec("liger_kernel"):
        asks.append("liger-kernel")
    lacks = [name for name, found in (("a C++ compiler", compiler()), ("Python.h", python_header())) if found is None]
    if not asks or not lacks:
        return None
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
    return (
        f"{' and '.join(asks)} cannot run without {' and '.join(lacks)}: apt install g++ {package}, or set pretrain.shared.compile to false"
    )


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """A line for each variable that nothing reads: a misspelt one would silently have no effect."""
    unknown = sorted(name for name in environment if name.startswith("SNOWCODER_") and name not in VARIABLES)
    read = "docs/environment.md lists what is read"
    return [f"environment: {name}: nothing reads it; {did_you_mean(name, VARIABLES)}{read}" for name in unknown]


def read_params() -> dict[str, Any]:
    """params.yaml; empty where it cannot be read, which the check of the params reports."""
    try:
        return read_yaml(PARAMS_PATH)
    except ParameterError:
        return {}


def compiler() -> str | None:
    """Path of the C++ compiler that torch.compile would call, None without one."""
    return shutil.which(os.environ.get("CXX", "")) or shutil.which("c++") or shutil.which("g++")


def python_header() -> Path | None:
    """Python.h of this interpreter, None where its development files are not installed."""
    path = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return path if path.exists() else None


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, or its container's limit."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = CGROUP_MEMORY.read_text().strip() if CGROUP_MEMORY.exists() else "max"
    return min(machine, int(limit)) if limit.isdigit() else machine


def describe_processor() -> str:
    """Processors, memory and the instructions that decide the speed of training."""
    flags = set(Path("/proc/cpuinfo").read_text().split()) if Path("/proc/cpuinfo").exists() else set()
    bf16 = next((name for name in ("amx_bf16", "avx512_bf16") if name in flags), None)
    memory = memory_bytes()
    note = "" if memory >= MIN_MEMORY_BYTES else f" (less than the {MIN_MEMORY_BYTES // GIB} GiB that the nano profile may use)"
    arithmetic = bf16 or "no bf16 instructions: training will be slower"
    return f"{len(os.sched_getaffinity(0))} processors, {memory / GIB:.0f} GiB memory{note}, {arithmetic}"


def describe_disk() -> str:
    """Free space where outputs and DVC's cache are written."""
    free = shutil.disk_usage(".").free
    note = "" if free >= MIN_FREE_DISK_BYTES else f" (less than the {MIN_FREE_DISK_BYTES // GIB} GiB that the nano profile may use)"
    return f"{free / GIB:.0f} GiB free{note}"


def describe_gpu() -> str:
    """Name, memory and driver of the GPU in use, or why the CPU is used."""
    if not may_have_gpu():
        return "none: models run on the CPU"
    if device_type() == "cpu":
        return "not used: models run on the CPU, because the environment says so, or this container has no access to the host's GPU"
    import torch  # after the checks, for it takes seconds

    free, total = torch.cuda.mem_get_info()
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return f"{names}; {free / GIB:.0f} of {total / GIB:.0f} GiB free, driver {nvidia_driver()}, torch's CUDA {torch.version.cuda}"


def describe_compiler() -> str:
    """The compiler and Python's header, or what only works with them."""
    found = compiler()
    if found is None:
        return "none: nothing needs one unless pretrain.shared.compile is true"
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    return f"{version or found}" + ("" if python_header() else "; no Python.h: nothing needs it unless pretrain.shared.compile is true")


def main() -> None:
    """Print the checks; exit 1 if one of them, or the value of an environment variable, stops the pipeline."""
    if refused := faults():
        sys.exit("\n".join(f"error: {fault}" for fault in refused))
    params = read_params()
    isolation, gpu = check_isolation(), check_gpu(params)
    on_gpu = gpu is None and may_have_gpu() and device_type() == "cuda"
    problems = [problem for problem in (check_python(), check_platform(), gpu, check_compiler(params, on_gpu), isolation) if problem]
    print(f"machine: Python {platform.python_version()}, {describe_processor()}")
    print(f"disk: {describe_disk()}")
    print(f"GPU: {'see below' if gpu else describe_gpu()}")
    print(f"compiler: {describe_compiler()}")
    print(f"isolation: {'see below' if isolation else 'NONE, as the environment asks' if is_unsafe() else 'bubblewrap works'}")
    for line in unknown_variables(os.environ):
        print(f"note: {line}", file=sys.stderr)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

"""Chooses the device of a model: a GPU if there is one, otherwise the CPU; a GPU that fails is an error, not a reason to use the CPU.

A machine with an NVIDIA driver that torch cannot use (too old for the build's CUDA, or a CPU build of torch) is an error with its cause:
training on the CPU instead would silently run for weeks. SNOWCODER_DEVICE=cpu uses the CPU anyway.
"""

import os
import re
from pathlib import Path
from typing import Literal

from snowcoder.errors import DeviceError
from snowcoder.pipeline import environment

VARIABLE = "SNOWCODER_DEVICE"
DRIVER_VERSION = Path("/proc/driver/nvidia/version")
# In a container the host's /proc shows its driver, but a container without a GPU has none of these
DEVICE_FILES = (Path("/dev/nvidiactl"), Path("/usr/lib/wsl/lib/libcuda.so.1"))
# The first driver that runs programs of a CUDA release (NVIDIA's release notes, "CUDA Toolkit and corresponding driver versions")
FIRST_DRIVER = {"11": 450, "12": 525, "13": 580}
DeviceType = Literal["cpu", "cuda"]


def nvidia_driver() -> str | None:
    """Version of the NVIDIA driver whose devices this process can reach, None where there is none."""
    if not any(path.exists() for path in DEVICE_FILES):
        return None
    text = DRIVER_VERSION.read_text() if DRIVER_VERSION.exists() else ""
    found = re.search(r"Kernel Module[^\n]*?\s(\d+\.\d[\d.]*)", text)
    return found[1] if found else "of unknown version"


def device_type(param: Literal["auto", "cpu", "cuda"] = "auto") -> DeviceType:
    """The device of this process, as a param says or, if that is auto, SNOWCODER_DEVICE (auto, cpu, cuda).

    auto in both uses a GPU if the machine has one. Raises DeviceError if a GPU exists, or is requested, and cannot be
    used, ParameterError for another value.
    """
    asked = param if param != "auto" else environment.text(VARIABLE)
    if asked == "cpu":
        return "cpu"
    problem = why_no_gpu()
    if problem is None:
        return "cuda"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if asked == "cuda" or (nvidia_driver() is not None and not hidden):
        raise DeviceError(f"{problem}; to run on the CPU anyway, set {VARIABLE}=cpu (and params such as embed_files.device to cpu)")
    return "cpu"


def why_no_gpu() -> str | None:
    """Why torch sees no GPU, and what to do; None if it sees one."""
    import torch  # slow to import, and stages without models do not need it

    if torch.cuda.is_available():
        return None
    driver, cuda = nvidia_driver(), torch.version.cuda
    if driver is None:
        return "this machine has no NVIDIA driver: install one, or choose the CPU"
    if cuda is None:
        remedy = "remove .venv and run `make setup EXTRAS=dev,gpu`"
        return f"torch {torch.__version__} is a CPU build, but this machine has an NVIDIA driver ({driver}): {remedy}"
    first = FIRST_DRIVER.get(cuda.split(".")[0])
    if first is not None and driver[:1].isdigit() and int(driver.split(".")[0]) < first:
        return f"the NVIDIA driver is {driver}, but torch {torch.__version__} is built for CUDA {cuda}: install driver {first} or newer"
    return f"torch {torch.__version__} (CUDA {cuda}) sees no GPU under NVIDIA driver {driver}: see `nvidia-smi` and CUDA_VISIBLE_DEVICES"

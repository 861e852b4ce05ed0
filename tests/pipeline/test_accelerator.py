"""A GPU that exists is used or is an error; only a machine without one uses the CPU."""

from pathlib import Path

import pytest
import torch

from snowcoder.errors import DeviceError, ParameterError
from snowcoder.pipeline import accelerator
from snowcoder.pipeline.accelerator import device_type, nvidia_driver, why_no_gpu

OPEN_MODULE = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build\nGCC version: gcc 12.3.0\n"
OLD_MODULE = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a driver, whatever this one has."""
    for name in (accelerator.VARIABLE, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(accelerator, "DEVICE_FILES", (tmp_path / "nvidiactl",))
    monkeypatch.setattr(accelerator, "DRIVER_VERSION", tmp_path / "version")


def install_driver(tmp_path: Path, version: str, with_device: bool = True) -> None:
    (tmp_path / "version").write_text(version)
    if with_device:
        (tmp_path / "nvidiactl").touch()


def test_without_a_driver_the_cpu_is_used() -> None:
    assert nvidia_driver() is None
    assert device_type() == "cpu"


@pytest.mark.parametrize(("text", "version"), [(OPEN_MODULE, "580.82.07"), (OLD_MODULE, "550.54.15"), ("?", "of unknown version")])
def test_driver_version_is_read(tmp_path: Path, text: str, version: str) -> None:
    install_driver(tmp_path, text)
    assert nvidia_driver() == version


def test_a_container_that_only_sees_its_hosts_driver_has_no_gpu(tmp_path: Path) -> None:
    install_driver(tmp_path, OPEN_MODULE, with_device=False)
    assert device_type() == "cpu"


def test_a_driver_too_old_for_the_build_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_driver(tmp_path, OLD_MODULE)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(DeviceError, match=r"driver is 550\.54\.15, but torch .* is built for CUDA 13\.0: install driver 580 or newer"):
        device_type()


def test_a_cpu_build_next_to_a_driver_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_driver(tmp_path, OPEN_MODULE)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(DeviceError, match=r"is a CPU build.*make setup EXTRAS=dev,gpu.*SNOWCODER_DEVICE=cpu"):
        device_type()


@pytest.mark.parametrize(("name", "value"), [("SNOWCODER_DEVICE", "cpu"), ("CUDA_VISIBLE_DEVICES", ""), ("CUDA_VISIBLE_DEVICES", "-1")])
def test_the_cpu_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    install_driver(tmp_path, OLD_MODULE)
    monkeypatch.setenv(name, value)
    assert device_type() == "cpu"


def test_a_gpu_that_is_asked_for_and_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="no NVIDIA driver"):
        device_type("cuda")
    monkeypatch.setenv("SNOWCODER_DEVICE", "cuda")
    with pytest.raises(DeviceError, match="no NVIDIA driver"):
        device_type()
    monkeypatch.setenv("SNOWCODER_DEVICE", "gpu")
    with pytest.raises(ParameterError, match="SNOWCODER_DEVICE: found 'gpu'; allowed: auto, cpu, cuda"):
        device_type()


def test_a_gpu_that_torch_sees_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert why_no_gpu() is None
    assert device_type() == "cuda"
    monkeypatch.setenv("SNOWCODER_DEVICE", "cpu")
    assert device_type() == "cpu"
    assert device_type("cuda") == "cuda", "a param that names the GPU decides: it is part of the result's identity"

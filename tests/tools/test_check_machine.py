"""The machine check of `make repro`: whatever would stop the pipeline stops it there, with the fix."""

from pathlib import Path

import pytest

from snowcoder.errors import DeviceError
from tools import check_machine


def test_compiling_is_refused_where_it_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile raises InvalidCxxCompiler without a compiler; it does not fall back to running eagerly."""
    monkeypatch.setattr(check_machine, "compiler", lambda: None)
    monkeypatch.setattr(check_machine, "python_header", lambda: None)
    problem = check_machine.check_compiler({"pretrain": {"shared": {"compile": True}}}, on_gpu=False)
    assert problem is not None
    assert "pretrain.shared.compile: true cannot run without a C++ compiler and Python.h: apt install g++ python3." in problem
    assert check_machine.check_compiler({"pretrain": {"shared": {"compile": False}}}, on_gpu=False) is None
    assert "eagerly" not in check_machine.describe_compiler()


def test_a_compiler_without_pythons_header_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_machine, "compiler", lambda: "/usr/bin/c++")
    monkeypatch.setattr(check_machine, "python_header", lambda: None)
    assert "cannot run without Python.h:" in str(check_machine.check_compiler({"pretrain": {"shared": {"compile": True}}}, on_gpu=True))


def test_a_gpu_that_params_ask_for_is_looked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(param: str = "auto") -> str:
        raise DeviceError(f"asked for {param}")

    monkeypatch.setattr(check_machine, "device_type", refuse)
    monkeypatch.setattr(check_machine, "may_have_gpu", lambda: False)
    assert check_machine.check_gpu({"embed_files": {"device": "cuda"}}) == "asked for cuda"
    assert check_machine.check_gpu({"embed_files": {"device": "cpu"}}) is None
    monkeypatch.setattr(check_machine, "may_have_gpu", lambda: True)
    assert check_machine.check_gpu({"embed_files": {"device": "cpu"}}) == "asked for auto"


def test_a_value_that_no_stage_would_take_stops_the_graph_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_DEVICE", "gpu")
    with pytest.raises(SystemExit, match=r"^error: environment: SNOWCODER_DEVICE: found 'gpu'; allowed: auto, cpu, cuda$"):
        check_machine.main()


def test_a_gpu_that_the_environment_asks_for_is_looked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str = "auto") -> str:
        raise DeviceError("no GPU")

    monkeypatch.setattr(check_machine, "device_type", refuse)
    monkeypatch.setattr(check_machine, "may_have_gpu", lambda: False)
    monkeypatch.setenv("SNOWCODER_DEVICE", "cuda")
    assert check_machine.check_gpu({}) == "no GPU"


def test_memory_is_the_containers_where_it_has_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_machine, "CGROUP_MEMORY", tmp_path / "memory.max")
    machine = check_machine.memory_bytes()
    (tmp_path / "memory.max").write_text("max\n")
    assert check_machine.memory_bytes() == machine
    (tmp_path / "memory.max").write_text(f"{2**30}\n")
    assert check_machine.memory_bytes() == 2**30
    assert "less than the 6 GiB" in check_machine.describe_processor()


def test_a_variable_that_nothing_reads_is_told() -> None:
    told = check_machine.unknown_variables(["SNOWCODER_WORKER", "SNOWCODER_WORKERS", "HOME", "SNOWCODER_ENDPOINT_URL"])
    assert told == [
        "environment: SNOWCODER_WORKER: nothing reads it; did you mean SNOWCODER_WORKERS? docs/environment.md lists what is read"
    ]


def test_the_checks_pass_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_status:
        check_machine.main()
    assert exit_status.value.code == 0, capsys.readouterr().err
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["machine", "disk", "GPU", "compiler", "isolation"]

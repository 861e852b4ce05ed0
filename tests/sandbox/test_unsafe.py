"""Running without isolation, if the environment asks for it: never silently, and with the limits of one process."""

import os
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from snowcoder.errors import ParameterError
from snowcoder.sandbox.isolation import UNSAFE
from snowcoder.sandbox.program import Outcome, SandboxLimits, check_sandbox, run_program

LIMITS = SandboxLimits(timeout_s=30.0, cpu_s=5, memory_bytes=2**28, tmp_bytes=2**20)


@pytest.fixture(autouse=True)
def _without_isolation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNSAFE, "1")


def test_every_run_says_so(capsys: pytest.CaptureFixture[str]):
    check_sandbox()
    assert run_program("pass", LIMITS).passed
    assert capsys.readouterr().err.count("runs WITHOUT isolation") == 2


def test_it_is_without_isolation(tmp_path: Path):
    (tmp_path / "seen").touch()
    assert run_program(f"import os\nassert os.listdir({str(tmp_path)!r}) == ['seen']\n", LIMITS) == Outcome("passed", "")


def test_the_limits_of_a_process_hold():
    assert run_program("x = bytearray(2**30)\n", LIMITS) == Outcome("out_of_memory", "MemoryError")
    assert "File too large" in run_program("open('x', 'wb').write(bytes(2**22))\n", LIMITS).detail
    assert run_program("while True: pass\n", LIMITS.model_copy(update={"cpu_s": 1})).status == "timeout"
    assert run_program("import ctypes\nctypes.string_at(0)\n", LIMITS) == Outcome("killed", "signal 11")


def test_there_is_no_environment_and_its_folder_goes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SNOWCODER_SECRET", "1")
    source = "import os\nassert 'SNOWCODER_SECRET' not in os.environ\nopen('left', 'w')\nraise ValueError(os.getcwd())\n"
    folder = run_program(source, LIMITS).detail.removeprefix("ValueError: ").removesuffix(" (line 4)")
    assert folder != os.getcwd()
    assert not Path(folder).exists()


def test_packages_are_found():
    with_numpy = LIMITS.model_copy(update={"packages": ["numpy"], "memory_bytes": 2**29})
    assert run_program("import numpy\n", with_numpy) == Outcome("passed", "")


def test_children_end_with_it():
    before = {process.pid for process in psutil.process_iter()}
    source = (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nimport time\ntime.sleep(60)\n"
    )
    assert run_program(source, LIMITS.model_copy(update={"timeout_s": 1.0})).status == "timeout"
    found = [process for process in psutil.process_iter() if process.pid not in before and is_child(process)]
    _, alive = psutil.wait_procs(found, timeout=10)  # they are killed, which takes a moment
    assert not [process for process in alive if is_child(process)]


def is_child(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE and "import time; time.sleep(60)" in process.cmdline()
    return False


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(UNSAFE, "yes")
    with pytest.raises(ParameterError, match=r"SNOWCODER_UNSAFE_NO_SANDBOX: found 'yes'; allowed: 0, 1"):
        run_program("pass", LIMITS)

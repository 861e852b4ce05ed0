"""Who holds DVC's lock of paths: a process that may run the command of the entry, not another program that has its PID by now."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.dvc_holders import Holder, first_running, is_command, is_running, read_holders, running_dvc

DEAD = 2**22 + 1  # beyond the PIDs of Linux
ENTRY = {"pid": DEAD, "cmd": "/bin/dvc repro"}
RWLOCK = json.dumps({"write": {"/r/two": ENTRY}, "read": {"/r/one": [ENTRY, ENTRY | {"pid": DEAD + 1}]}})
SAY_ARGUMENTS = "import sys; print(' '.join(sys.argv), flush=True); sys.stdin.read()"


def test_every_entry_names_its_holder(tmp_path: Path) -> None:
    (tmp_path / "rwlock").write_text(RWLOCK)
    assert read_holders(tmp_path / "rwlock") == [Holder(pid, "/bin/dvc repro") for pid in (DEAD, DEAD, DEAD + 1)]
    (tmp_path / "rwlock").write_text("{}")
    assert read_holders(tmp_path / "rwlock") == []
    assert read_holders(tmp_path / "none") == []


@settings(max_examples=30)
@given(length=st.integers(0, len(RWLOCK) - 1))
def test_the_beginning_of_a_file_cannot_be_read(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "rwlock"
    path.write_text(RWLOCK[:length])
    assert read_holders(path) is None


@pytest.mark.parametrize("text", ["[]", '{"write": []}', '{"read": {"/r": [{"pid": "1", "cmd": "x"}]}}', '{"other": {}}', "\0\0"])
def test_what_dvc_refuses_cannot_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "rwlock").write_text(text)
    assert read_holders(tmp_path / "rwlock") is None


@pytest.mark.parametrize(
    ("words", "command", "same"),
    [
        (["/v/bin/python", "/v/bin/dvc", "repro", "-f"], "/v/bin/dvc repro -f", True),
        (["/v/bin/python", "/v/bin/dvc", "status"], "/v/bin/dvc repro -f", True),
        (["python", "-m", "dvc", "repro"], "/v/lib/dvc/__main__.py repro", True),
        (["python", "-mdvc", "repro"], "/v/lib/dvc/__main__.py repro", True),
        (["[celeryd: dvc-exp-5a1-1@localhost:MainProcess] -active-"], "/v/bin/dvc queue start", True),
        (["python", "/v/my own/tool.py", "run"], "/v/my own/tool.py run", True),
        (["python", "-m", "my.tool", "run"], "/v/my/tool.py run", True),
        (["python", "-mmy.tool", "run"], "/v/my/tool/__main__.py run", True),
        (["python", "-m", "http.server"], "/v/lib/dvc/__main__.py", False),
        (["python", "-m"], "/v/bin/dvc repro", False),
        (["sleep", "60"], "/v/bin/dvc repro", False),
        ([], "/v/bin/dvc repro", False),
    ],
)
def test_a_command_is_another_one_only_where_it_shares_nothing_with_it_or_dvc(words: list[str], command: str, same: bool) -> None:
    assert is_command(words, command) is same


@pytest.mark.parametrize("how", ["script", "module", "text"])
@pytest.mark.parametrize("arguments", [[], ["repro", "two words"]])
def test_a_process_is_recognised_however_it_was_started(tmp_path: Path, how: str, arguments: list[str]) -> None:
    (tmp_path / "told").mkdir()
    for name in ("dvc.py", "told/__main__.py"):
        (tmp_path / name).write_text(SAY_ARGUMENTS)
    start = {"script": ["dvc.py"], "module": ["-m", "told"], "text": ["-c", SAY_ARGUMENTS]}[how]
    command = [sys.executable, *start, *arguments]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().rstrip("\n")
        assert is_running(Holder(process.pid, said))
        process.communicate()
    assert not is_running(Holder(process.pid, said))


def test_a_pid_that_another_program_has_is_dead_and_so_is_a_process_that_nobody_reaps() -> None:
    with subprocess.Popen(["sleep", "60"]) as other, subprocess.Popen(["true"]) as ended:
        try:
            while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.05)
            holders = [Holder(pid, command) for pid in (DEAD, other.pid, ended.pid) for command in ("/bin/dvc repro", "true")]
            running = Holder(other.pid, "sleep 60")
            found = first_running(holders), first_running([*holders, running])
        finally:
            other.kill()
    assert found == (None, running)


def test_a_dvc_that_works_in_the_folder_is_found_by_its_command_line(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "dvc").write_text(SAY_ARGUMENTS)
    command = [sys.executable, str(tmp_path / "dvc"), "repro"]
    with subprocess.Popen(command, cwd=tmp_path / "inner", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = running_dvc(tmp_path), running_dvc(tmp_path / "elsewhere")
        process.communicate()
    assert found == (Holder(process.pid, " ".join(command)), None)
    assert running_dvc(tmp_path) is None

"""stages/run.sh: a stage runs with the interpreter of the dvc that starts it, whatever PATH and shell are."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = Path(sys.prefix)
REPORT = "import sys\nfrom pathlib import Path\nPath('seen').write_text(f'{sys.executable} {sys.argv[1:]} {sys.path}')\n"
SYSTEM_PATH = "/usr/bin:/bin"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with one stage, which reports its interpreter and arguments."""
    (tmp_path / "stages").mkdir()
    shutil.copy(ROOT / "stages" / "run.sh", tmp_path / "stages")
    (tmp_path / "stages" / "show.py").write_text(REPORT)
    (tmp_path / "src").mkdir()
    return tmp_path


def run(workspace: Path, command: list[str], path: str, shell: str = "/bin/sh") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "SHELL": shell, "HOME": str(workspace), "DVC_NO_ANALYTICS": "1"}
    return subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True, check=False)


def seen(workspace: Path) -> str:
    return (workspace / "seen").read_text()


def folder_of_failing_python(workspace: Path) -> str:
    """A folder with a `python` that has none of our packages."""
    folder = workspace / "other" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").write_text("#!/bin/sh\nexit 1\n")
    (folder / "python").chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_dvc_of_an_environment_that_is_not_activated(workspace: Path, shell: str) -> None:
    (workspace / "dvc.yaml").write_text("stages:\n  show:\n    cmd: sh stages/run.sh show --item 'a b'\n")
    path = f"{folder_of_failing_python(workspace)}:{SYSTEM_PATH}"
    dvc = [str(ENVIRONMENT / "bin" / "dvc")]
    assert run(workspace, [*dvc, "init", "--quiet", "--no-scm"], path).returncode == 0
    result = run(workspace, [*dvc, "repro"], path, shell)
    assert result.returncode == 0, result.stdout + result.stderr
    assert seen(workspace).startswith(f"{ENVIRONMENT / 'bin'}/python")
    assert "['--item', 'a b']" in seen(workspace)


def test_a_stage_started_in_the_background_outlives_its_shell(workspace: Path) -> None:
    """Its ancestors then end at process 1, before an interpreter is found among them."""
    command = ["sh", "-c", "(sleep 0.2; sh stages/run.sh show) &"]
    result = run(workspace, command, f"{ENVIRONMENT / 'bin'}:{SYSTEM_PATH}")
    assert result.stderr == ""
    assert seen(workspace).startswith(f"{ENVIRONMENT / 'bin'}/python")


@pytest.mark.parametrize(("started_in", "runs_in", "root"), [("sub", "", None), ("", "copy", None), ("sub", "copy", "sub")])
def test_an_interpreter_named_by_a_relative_path(workspace: Path, started_in: str, runs_in: str, root: str | None) -> None:
    """As by `../.venv/bin/python -m dvc repro`, or by `.venv/bin/python -m dvc exp run --temp`, which moves into the copy."""
    for name in ("sub", "copy"):
        (workspace / name).mkdir()
        (workspace / name / "stages").symlink_to(workspace / "stages")
        (workspace / name / "src").mkdir()
    (workspace / started_in / ".venv").symlink_to(ENVIRONMENT)
    moves = f"os.chdir({str(workspace / runs_in)!r}); " if root else ""
    added = f" | {{'DVC_ROOT': {str(workspace / root)!r}}}" if root else ""
    called = f"subprocess.call(['sh', 'stages/run.sh', 'show'], cwd={str(workspace / runs_in)!r}, env=dict(os.environ){added})"
    command = (
        f"cd '{workspace / started_in}' && .venv/bin/python -c {shlex.quote(f'import os, subprocess, sys; {moves}sys.exit({called})')}"
    )
    for level in range(4):  # shells in between, so that this test's own interpreter is out of sight
        (workspace / f"shell-{level}").write_text(f"{command}\nexit $?\n")
        command = f"sh '{workspace}/shell-{level}'"
    result = run(workspace, ["sh", "shell-3"], SYSTEM_PATH)
    assert result.returncode == 0, result.stderr
    assert seen(workspace / runs_in).startswith(f"{workspace / started_in}/.venv/bin/python")


def test_code_of_the_workspace_comes_before_what_is_installed(workspace: Path) -> None:
    """The copy of an experiment runs its own code, not that of the repository the environment was made in."""
    script = "import subprocess, sys; sys.exit(subprocess.call(['sh', 'stages/run.sh', 'show']))"
    assert run(workspace, [sys.executable, "-c", script], SYSTEM_PATH).returncode == 0
    assert f"'{workspace}', '{workspace}/src'" in seen(workspace)


def test_an_activated_environment_serves_a_dvc_that_has_its_own(workspace: Path) -> None:
    """As from pipx or from the system: its interpreter lacks our packages."""
    of_dvc = workspace / "of_dvc" / "python3"
    of_dvc.parent.mkdir()
    shutil.copy(Path(folder_of_failing_python(workspace)) / "python", of_dvc)
    script = f"exec -a {of_dvc} bash -c 'sh stages/run.sh show; true'"
    result = run(workspace, ["bash", "-c", script], f"{ENVIRONMENT / 'bin'}:{SYSTEM_PATH}")
    assert result.returncode == 0, result.stderr
    assert seen(workspace).startswith(f"{ENVIRONMENT / 'bin'}/python")


def test_without_an_environment_the_message_says_what_to_run(workspace: Path) -> None:
    for level, next_one in enumerate(["stages/run.sh show", "shell-0", "shell-1", "shell-2"]):  # out of sight of this test's interpreter
        (workspace / f"shell-{level}").write_text(f"sh {next_one}; exit $?\n")
    result = run(workspace, ["sh", "shell-3"], f"{folder_of_failing_python(workspace)}:{SYSTEM_PATH}")
    assert result.returncode == 1
    assert "make setup" in result.stderr
    assert f"{workspace}/other/bin/python" in result.stderr
    assert not (workspace / "seen").exists()


def test_the_exit_code_of_a_stage_is_that_of_its_command(workspace: Path) -> None:
    (workspace / "stages" / "show.py").write_text("raise SystemExit(7)\n")
    script = "import subprocess, sys; sys.exit(subprocess.run(['sh', 'stages/run.sh', 'show']).returncode)"
    assert run(workspace, [sys.executable, "-c", script], SYSTEM_PATH).returncode == 7

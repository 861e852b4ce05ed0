"""Tools that are called wrongly, or that cannot do their work, end with one message."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("__init__", "check_machine", "dvc_holders", "experiment_folder", "pin_wheels")  # parts of dvc_state and experiment
IN_THE_ROOT = sorted(path.stem for path in (ROOT / "tools").glob("*.py") if path.stem not in OTHERS)


def run(tool: str, *arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), *arguments]
    settings = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"} | environment
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("tool", IN_THE_ROOT)
def test_elsewhere_than_in_the_root_nothing_is_written(tool: str, tmp_path: Path) -> None:
    done = run(tool, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == f"error: dvc.yaml: not found in {tmp_path}; run from the root of the repository, as `make` does"
    assert list(tmp_path.iterdir()) == []


def test_what_a_tool_lacks_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    done = run("probe_annotators", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ShardError: data/split_files/manifest.json: not found; the stage that writes")


def test_wheels_are_pinned_into_files_that_can_be_written(tmp_path: Path) -> None:
    """Both are written last: after everything has been downloaded."""
    done = run("pin_wheels", str(tmp_path / "no" / "a.lock"), str(tmp_path / "a.csv"), "--add", "six", PIP_NO_INDEX="1")
    assert (done.returncode, "no/a.lock: cannot be written;" in done.stderr) == (2, True)
    done = run("pin_wheels", str(tmp_path / "a.lock"), str(tmp_path / "a.csv"))
    assert (done.returncode, "there is nothing to pin" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_not_called_ours(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("serve_ui", "--port", str(port), SNOWCODER_WORK_DIR=str(tmp_path), MLFLOW_TRACKING_URI="")
    assert done.returncode == 1
    assert f"error: 127.0.0.1:{port}: Address already in use; another program" in done.stderr
    assert "http" not in done.stdout
    assert "--port: found 70000; allowed: 1 to 65535" in run("serve_ui", "--port", "70000").stderr


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    done = run("serve_ui", SNOWCODER_WORK_DIR=str(tmp_path), MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: http://127.0.0.1:9: cannot be read (")
    assert "Traceback" not in done.stderr

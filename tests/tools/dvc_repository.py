"""A small repository of Git and DVC after a good run, as fixtures, and what a kill does to its dvc.lock."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from snowcoder.pipeline.kept_lock import keep_lock, kept_path
from snowcoder.pipeline.stage import work_dir

ROOT = Path(__file__).resolve().parents[2]
GRAPH = """\
stages:
  first:
    cmd: echo 1 > one; while [ -e wait ]; do sleep 0.1; done
    deps: [input]
    outs: [one]
  second:
    foreach: [x, y]
    do:
      cmd: cat one > two-${item}
      deps: [one]
      outs: ["two-${item}"]
"""
NAMES = [b"first", b"second@x", b"second@y"]
SETTINGS = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "DVC_NO_ANALYTICS": "1"}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | SETTINGS | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def commit(folder: Path) -> None:
    assert run(folder, "git", "add", "-A").returncode == 0
    done = run(folder, "git", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-qm", "committed")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository after a good run; its dvc.lock is in no commit."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "dvc.yaml").write_text(GRAPH)
    (folder / "input").write_text("1")
    (folder / ".gitignore").write_text("wait\n*.partial\n")
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        assert run(folder, *command).returncode == 0
    commit(folder)
    done = run(folder, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def repository(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, with a kept dvc.lock."""
    folder = shutil.copytree(finished, tmp_path / "repository")
    keep_lock(folder, work_dir(), is_finished=True)
    return folder


def lock_of(folder: Path) -> bytes:
    return (folder / "dvc.lock").read_bytes()


def cut(folder: Path, length: int) -> bytes:
    """Leave the first `length` bytes of dvc.lock, as a kill does; returns what it was."""
    whole = lock_of(folder)
    (folder / "dvc.lock").write_bytes(whole[:length])
    return whole


def damaged_files(folder: Path) -> list[bytes]:
    """What repairs have put aside."""
    kept = kept_path(folder, work_dir())
    return sorted(path.read_bytes() for path in kept.parent.glob(f"{kept.stem}.*.damaged"))


def one_stage(whole: bytes) -> int:
    """Length of the part of a dvc.lock that ends with its first stage."""
    return whole.index(b"  second@x:")

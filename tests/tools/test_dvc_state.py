"""What a kill leaves of DVC's own files is repaired before a run, in a real repository of DVC, and never under a DVC that runs."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc.lock import make_lock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline.kept_lock import keep_lock, kept_path, stage_names
from snowcoder.pipeline.stage import work_dir
from tools.dvc_state import is_readable, repair

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


def one_stage(whole: bytes) -> int:
    """Length of the part of a dvc.lock that ends with its first stage."""
    return whole.index(b"  second@x:")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_lock_that_is_cut_anywhere_comes_back(finished: Path, share: float) -> None:
    keep_lock(finished, work_dir(), is_finished=True)
    whole = lock_of(finished)
    try:
        cut(finished, int(share * len(whole)))
        repair(finished, work_dir())
        # what DVC can read, with every stage, it goes on with: of an output without a hash the run cache knows it
        assert lock_of(finished) == whole or (is_readable(lock_of(finished)) and stage_names(lock_of(finished)) == NAMES)
    finally:
        (finished / "dvc.lock").write_bytes(whole)


@pytest.mark.parametrize("where", ["in a line", "after a stage", "before the stages", "empty"])
def test_nothing_runs_again_after_the_repair(repository: Path, capsys: pytest.CaptureFixture[str], where: str) -> None:
    text = lock_of(repository)
    length = {"in a line": len(text) - 9, "after a stage": one_stage(text), "before the stages": text.index(b"stages:"), "empty": 0}[where]
    whole = cut(repository, length)
    repair(repository, work_dir())
    said = capsys.readouterr().err
    assert said.startswith("dvc: repaired after a kill: dvc.lock ")
    assert said.count("\n") == 1
    assert "the kept copy took its place, with 3 stages" in said
    assert lock_of(repository) == whole
    assert kept_path(repository, work_dir()).with_suffix(".damaged").read_bytes() == whole[:length]
    again = run(repository, "dvc", "repro")
    assert again.returncode == 0, again.stderr
    assert "Running stage" not in again.stdout
    repair(repository, work_dir())
    assert capsys.readouterr().err == ""


def test_without_a_copy_the_run_cache_gives_the_outputs_back(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept_path(repository, work_dir()).unlink()
    whole = cut(repository, 300)
    assert run(repository, "dvc", "repro").returncode != 0, "DVC alone refuses such a file"
    repair(repository, work_dir())
    assert "dvc.lock could not be read: removed, as there is no copy" in capsys.readouterr().err
    again = run(repository, "dvc", "repro")
    assert again.returncode == 0, again.stderr
    assert "Running stage" not in again.stdout
    assert lock_of(repository) == whole


def test_the_copy_that_has_more_in_common_is_taken(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = lock_of(repository)
    commit(repository)
    older = whole.replace(b"echo 1", b"echo 0")
    kept_path(repository, work_dir()).write_bytes(older)
    cut(repository, len(whole) - 9)
    repair(repository, work_dir())
    assert "the last commit took its place" in capsys.readouterr().err
    assert lock_of(repository) == whole
    (repository / "dvc.lock").write_bytes(older[:-9])
    repair(repository, work_dir())
    assert "the kept copy took its place" in capsys.readouterr().err
    assert lock_of(repository) == older


def test_a_damaged_copy_is_not_taken(repository: Path) -> None:
    whole = lock_of(repository)
    commit(repository)
    kept_path(repository, work_dir()).write_bytes(whole[:-5])
    cut(repository, len(whole) - 5 - 1)
    repair(repository, work_dir())
    assert lock_of(repository) == whole


def test_files_that_no_kill_has_left_stay(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = lock_of(repository)
    first = whole[: one_stage(whole)]
    (repository / "dvc.lock").write_bytes(first)
    commit(repository)
    conflict = whole.replace(b"    cmd: cat", b"<<<<<<< HEAD\n    cmd: cat")
    for text in (first, conflict, whole.replace(b"echo 1", b"echo 2")):
        (repository / "dvc.lock").write_bytes(text)
        repair(repository, work_dir())
        assert lock_of(repository) == text
    (repository / "dvc.lock").unlink()
    repair(repository, work_dir())
    assert not (repository / "dvc.lock").exists()
    assert capsys.readouterr().err == ""


def test_stages_that_the_graph_no_longer_has_are_not_missed(repository: Path) -> None:
    (repository / "dvc.yaml").write_text(GRAPH[: GRAPH.index("  second:")])
    whole = lock_of(repository)
    cut(repository, one_stage(whole))
    repair(repository, work_dir())
    assert lock_of(repository) == whole[: one_stage(whole)]


def rwlock(folder: Path, *entries: tuple[int, str]) -> Path:
    """An rwlock whose readers are `entries`, and whose first one writes too."""
    infos = [{"pid": pid, "cmd": command} for pid, command in entries]
    path = folder / ".dvc/tmp/rwlock"
    path.write_text(json.dumps({"write": {str(folder / "one"): infos[0]}, "read": {str(folder / "input"): infos}}))
    return path


def test_entries_of_the_dead_and_of_a_pid_that_another_program_has_are_swept(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"{Path(sys.executable).parent}/dvc repro"
    with subprocess.Popen(["sleep", "60"]) as other:
        rwlock(repository, (other.pid, command), (2**22 + 1, command))
        blocked = run(repository, "dvc", "repro", "-f", "-s", "first")
        repair(repository, work_dir())
        said = capsys.readouterr().err
        again = run(repository, "dvc", "repro", "-f", "-s", "first")
        other.kill()
    assert "is busy, it is being blocked by" in blocked.stderr
    assert said == "dvc: repaired after a kill: .dvc/tmp/rwlock had 3 entries of 2 dead processes: removed\n"
    assert again.returncode == 0, again.stderr


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), of_experiments=st.booleans())
def test_an_rwlock_that_is_cut_anywhere_is_removed(finished: Path, share: float, of_experiments: bool) -> None:
    path = finished / ".dvc/tmp" / ("exps/rwlock" if of_experiments else "rwlock")
    path.parent.mkdir(exist_ok=True)
    text = json.dumps({"write": {}, "read": {"/r/one": [{"pid": 2**22 + 1, "cmd": "dvc repro"}]}})
    path.write_text(text[: int(share * len(text))])
    repair(finished, work_dir())
    assert not path.exists()


def test_nothing_is_touched_while_dvc_holds_its_lock(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = rwlock(repository, (2**22 + 1, "dvc repro"))
    before = path.read_bytes()
    cut(repository, 100)
    torn = lock_of(repository)
    with make_lock(str(repository / ".dvc/tmp/lock")):
        repair(repository, work_dir())
    assert (path.read_bytes(), lock_of(repository)) == (before, torn)
    assert capsys.readouterr().err == f"dvc: another DVC process works in {repository}; its files are left as they are\n"


def test_nothing_is_touched_while_the_command_of_a_stage_runs(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DVC then holds no lock but its entries in rwlock, or, where a kill of another one has torn that, nothing at all."""
    (repository / "wait").touch()
    (repository / "one").unlink()
    command = [str(Path(sys.executable).parent / "dvc"), "repro", "-f", "-s", "first"]
    path = repository / ".dvc/tmp/rwlock"
    found = []
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as dvc:
        while not (repository / "one").exists() and dvc.poll() is None:
            time.sleep(0.05)
        held = path.read_bytes()
        dead = json.loads(held)
        dead["read"]["/elsewhere"] = [{"pid": 2**22 + 1, "cmd": "dvc repro"}]
        for text in (json.dumps(dead).encode(), held[:-1]):
            path.write_bytes(text)
            whole = cut(repository, 100)
            repair(repository, work_dir())
            found.append((path.read_bytes() == text, lock_of(repository) == whole[:100], capsys.readouterr().err))
            path.write_bytes(held)
            (repository / "dvc.lock").write_bytes(whole)
        (repository / "wait").unlink()
        _, errors = dvc.communicate()
    assert dvc.returncode == 0, errors
    for is_same_rwlock, is_same_lock, said in found:
        assert is_same_rwlock
        assert is_same_lock
        assert f"another DVC process works in {repository} (PID {dvc.pid}: " in said


def test_what_killed_repairs_have_left_is_removed(repository: Path) -> None:
    kept = kept_path(repository, work_dir())
    for path in (repository / "dvc.lock", kept, kept.with_suffix(".damaged")):
        path.with_name(f".{path.name}.machine.1.partial").write_text("half")
    repair(repository, work_dir())
    assert not [*repository.glob(".*.partial"), *kept.parent.glob(".*.partial")]


def test_two_repairs_at_once_and_the_command_line(repository: Path) -> None:
    whole = cut(repository, 200)
    command = [sys.executable, "-m", "tools.dvc_state", "repair"]
    both = [subprocess.Popen(command, cwd=repository, env=os.environ | SETTINGS, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(text.count("repaired after a kill") for text in said) == [0, 1]
    assert lock_of(repository) == whole
    (repository / "dvc.lock").write_bytes(whole + b"  third:\n    cmd: echo\n")
    assert run(repository, sys.executable, "-m", "tools.dvc_state", "keep").returncode == 0
    assert kept_path(repository, work_dir()).read_bytes() == lock_of(repository)


def test_a_configuration_that_dvc_cannot_read_is_named(repository: Path) -> None:
    (repository / ".dvc/config.local").write_text("[core\n")
    with pytest.raises(SnowcoderError, match=r"\.dvc: DVC cannot read its configuration"):
        repair(repository, work_dir())

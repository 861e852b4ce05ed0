"""What a kill leaves of DVC's rwlock is removed, in a real repository of DVC, and nothing is touched under a DVC that runs."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc.lock import make_lock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowcoder.pipeline.stage import work_dir
from tests.tools.dvc_repository import cut, lock_of, run
from tools.dvc_state import repair


def rwlock(folder: Path, *entries: tuple[int, str]) -> Path:
    """An rwlock whose readers are `entries`, and whose first one writes too."""
    infos = [{"pid": pid, "cmd": command} for pid, command in entries]
    path = folder / ".dvc/tmp/rwlock"
    path.write_text(json.dumps({"write": {str(folder / "one"): infos[0]}, "read": {str(folder / "input"): infos}}))
    return path


def test_entries_of_the_dead_and_of_a_pid_that_another_program_has_are_swept(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"{Path(sys.executable).parent}/dvc repro"
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            rwlock(repository, (other.pid, command), (2**22 + 1, command))
            blocked = run(repository, "dvc", "repro", "-f", "-s", "first")
            repair(repository, work_dir())
            said = capsys.readouterr().err
            again = run(repository, "dvc", "repro", "-f", "-s", "first")
        finally:
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
        try:
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
        finally:
            (repository / "wait").unlink()
        _, errors = dvc.communicate()
    assert dvc.returncode == 0, errors
    for is_same_rwlock, is_same_lock, said in found:
        assert is_same_rwlock
        assert is_same_lock
        assert f"another DVC process works in {repository} (PID {dvc.pid}: " in said

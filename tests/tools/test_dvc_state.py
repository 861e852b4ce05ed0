"""What a kill leaves of dvc.lock is repaired before a run, in a real repository of DVC."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline.kept_lock import keep_lock, kept_path, stage_names
from snowcoder.pipeline.stage import work_dir
from tests.tools.dvc_repository import GRAPH, NAMES, SETTINGS, commit, cut, damaged_files, lock_of, one_stage, run
from tools.dvc_state import is_readable, keep, repair


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
    assert damaged_files(repository) == [whole[:length]]
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


def test_what_is_newer_than_the_copy_stays_where_only_stages_are_lost(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = lock_of(repository)
    newer = whole[: one_stage(whole)].replace(b"echo 1", b"echo 2")
    (repository / "dvc.lock").write_bytes(newer)
    repair(repository, work_dir())
    assert "dvc.lock had lost its last stages: those of the kept copy were appended, which makes 3 stages" in capsys.readouterr().err
    assert lock_of(repository) == newer + whole[one_stage(whole) :]
    assert damaged_files(repository) == [newer]


def test_where_nothing_can_be_appended_the_whole_copy_is_taken(repository: Path) -> None:
    whole = lock_of(repository)
    (repository / "dvc.lock").write_bytes(b"schema: '2.0'\nstages: {}\n")
    repair(repository, work_dir())
    assert lock_of(repository) == whole


def test_a_damaged_file_does_not_replace_an_earlier_one(repository: Path) -> None:
    whole = lock_of(repository)
    for length in (200, 300):
        cut(repository, length)
        repair(repository, work_dir())
        assert lock_of(repository) == whole
    assert damaged_files(repository) == [whole[:200], whole[:300]]


def test_a_lock_without_a_last_line_end_is_whole_if_git_has_it(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_hand = lock_of(repository).rstrip(b"\n")
    (repository / "dvc.lock").write_bytes(by_hand)
    commit(repository)
    repair(repository, work_dir())
    assert (lock_of(repository), capsys.readouterr().err) == (by_hand, "")
    kept_path(repository, work_dir()).unlink()
    cut(repository, len(by_hand) - 30)
    repair(repository, work_dir())
    assert lock_of(repository) == by_hand


def test_without_a_copy_what_dvc_can_read_stays(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept_path(repository, work_dir()).unlink()
    by_hand = lock_of(repository).rstrip(b"\n")
    (repository / "dvc.lock").write_bytes(by_hand)
    repair(repository, work_dir())
    assert (lock_of(repository), capsys.readouterr().err) == (by_hand, "")


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


def test_what_killed_repairs_have_left_is_removed(repository: Path) -> None:
    kept = kept_path(repository, work_dir())
    for path in (repository / "dvc.lock", kept, kept.with_suffix(".0123.damaged")):
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


def test_a_copy_that_cannot_be_kept_is_told_and_no_error(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = kept_path(repository, work_dir())
    kept.unlink()
    kept.mkdir()
    keep(repository, work_dir())
    assert "dvc: no copy of dvc.lock was kept (" in capsys.readouterr().err
    kept.rmdir()
    kept.symlink_to("/dev/null")
    keep(repository, work_dir())
    assert "found a device" in capsys.readouterr().err


def test_a_configuration_that_dvc_cannot_read_is_named(repository: Path) -> None:
    (repository / ".dvc/config.local").write_text("[core\n")
    with pytest.raises(SnowcoderError, match=r"\.dvc: DVC cannot read its configuration"):
        repair(repository, work_dir())

"""The copy of dvc.lock: kept when DVC starts a stage and after a good run, and never replaced by what a kill has left."""

import fcntl
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowcoder.pipeline.kept_lock import RUNNING, has_lost_stages, keep_lock, keep_lock_of_running_dvc, kept_path, stage_names
from snowcoder.pipeline.params import read_yaml
from snowcoder.pipeline.stage import command_line, work_dir

ROOT = Path(__file__).resolve().parents[2]


def lock_of(*names: str) -> bytes:
    """As DVC writes it."""
    entries = "".join(f"  {name}:\n    cmd: echo\n    outs:\n    - path: {name}\n      hash: md5\n" for name in names)
    return f"schema: '2.0'\nstages:\n{entries}".encode()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where DVC has run before."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / RUNNING).parent.mkdir(parents=True)
    (tmp_path / RUNNING).write_text(" 1\n")
    return tmp_path


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Gives Ctrl-C back to pytest: a stage's command line takes it for the rest of its process."""
    former = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, former)


def kept() -> bytes | None:
    path = kept_path(Path.cwd(), work_dir())
    return path.read_bytes() if path.exists() else None


def test_the_stages_of_the_committed_lock_are_those_of_its_yaml() -> None:
    assert [name.decode() for name in stage_names((ROOT / "dvc.lock").read_bytes())] == list(read_yaml(ROOT / "dvc.lock")["stages"])


@pytest.mark.parametrize(
    ("names", "others", "lost"), [("a", "ab", True), ("", "a", True), ("ab", "ab", False), ("b", "ab", False), ("abc", "ab", False)]
)
def test_stages_are_lost_where_the_last_ones_are_gone(names: str, others: str, lost: bool) -> None:
    assert has_lost_stages(lock_of(*names), lock_of(*others)) is lost


def test_a_copy_with_more_stages_is_replaced_only_after_a_good_run(repository: Path) -> None:
    for names, is_finished, copied in (("ab", False, "ab"), ("a", False, "ab"), ("abc", False, "abc"), ("ab", True, "ab")):
        (repository / "dvc.lock").write_bytes(lock_of(*names))
        keep_lock(repository, work_dir(), is_finished)
        assert kept() == lock_of(*copied)


@pytest.mark.parametrize("finished", [False, True])
def test_a_torn_or_missing_file_is_not_kept(repository: Path, finished: bool) -> None:
    keep_lock(repository, work_dir(), is_finished=finished)
    (repository / "dvc.lock").write_bytes(lock_of("a", "b")[:-3])
    keep_lock(repository, work_dir(), is_finished=finished)
    assert kept() is None


def test_nothing_is_kept_while_dvc_may_be_writing(repository: Path) -> None:
    (repository / "dvc.lock").write_bytes(lock_of("a"))
    with (repository / RUNNING).open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        keep_lock(repository, work_dir(), is_finished=True)
        assert kept() is None
    keep_lock(repository, work_dir(), is_finished=True)
    assert kept() == lock_of("a")


@pytest.mark.usefixtures("interrupts")
def test_a_stage_keeps_it_where_dvc_starts_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "dvc.lock").write_bytes(lock_of("a"))
    monkeypatch.setattr(sys, "argv", ["stage"])
    command_line(lambda: None)
    assert kept() is None, "a person runs the stage by hand"
    monkeypatch.setenv("DVC_STAGE", "a")
    monkeypatch.setenv("DVC_ROOT", str(repository))
    command_line(lambda: None)
    assert kept() == lock_of("a")


def test_the_lock_of_an_experiments_copy_is_not_kept(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "copy").mkdir()
    (repository / "copy/dvc.lock").write_bytes(lock_of("a"))
    monkeypatch.chdir(repository / "copy")
    monkeypatch.setenv("DVC_STAGE", "a")
    monkeypatch.setenv("DVC_ROOT", str(repository))
    keep_lock_of_running_dvc(work_dir())
    assert kept() is None


def test_a_copy_that_cannot_be_written_does_not_end_the_stage(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "dvc.lock").write_bytes(lock_of("a"))
    (repository / "file").write_text("where the work folder should be")
    monkeypatch.setenv("DVC_STAGE", "a")
    monkeypatch.setenv("DVC_ROOT", str(repository))
    keep_lock_of_running_dvc(repository / "file")
    kept_path(repository, work_dir()).parent.mkdir(parents=True)
    kept_path(repository, work_dir()).symlink_to("/dev/null")
    keep_lock_of_running_dvc(work_dir())
    assert kept_path(repository, work_dir()).is_symlink()

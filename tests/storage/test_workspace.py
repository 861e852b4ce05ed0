"""Relative paths in a repository and in DVC's copy of it."""

from pathlib import Path

import pytest

from snowcoder.pipeline.stage import work_dir
from snowcoder.storage.files import location
from snowcoder.storage.workspace import find_path, untracked_hint


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with an untracked folder, and a folder outside of it."""
    root = tmp_path / "repository"
    (root / ".dvc" / "tmp" / "exps" / "tmp1").mkdir(parents=True)
    (root / "rows").mkdir()
    (root / "rows" / "a.jsonl").write_text("{}\n")
    (root / "data").mkdir()
    (root / "data" / "mine.csv").write_text("repository\n")
    (tmp_path / "outside").mkdir()
    return root


@pytest.fixture
def copy(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy of an experiment, as the process of a stage sees it; `tracked` is in it."""
    folder = repository / ".dvc" / "tmp" / "exps" / "tmp1"
    (folder / "tracked").mkdir()
    (repository / "tracked").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_ROOT", str(repository))
    return folder


def test_in_the_repository_a_path_stays_as_written(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    for root in (None, str(repository)):
        monkeypatch.setenv("DVC_ROOT", root) if root else monkeypatch.delenv("DVC_ROOT", raising=False)
        for text in ("rows", "../outside", "nowhere", "/etc"):
            assert find_path(text) == Path(text)


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("text", ["../outside", "./../outside", "rows/../../outside"])
def test_a_path_out_of_the_copy_leads_out_of_the_repository(repository: Path, text: str) -> None:
    assert find_path(text).resolve() == (repository.parent / "outside").resolve()


@pytest.mark.usefixtures("copy")
def test_above_the_copy_is_above_the_repository_even_where_both_are_there(repository: Path) -> None:
    assert find_path("..").resolve() == repository.parent


@pytest.mark.usefixtures("copy")
def test_what_git_does_not_track_is_read_from_the_repository_and_said(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert location("rows") == repository / "rows"
    assert "Git does not track it" in capsys.readouterr().err


@pytest.mark.usefixtures("copy")
def test_what_is_in_the_copy_is_read_there() -> None:
    assert find_path("tracked") == Path("tracked")
    assert find_path("nowhere") == Path("nowhere")
    assert find_path("/etc") == Path("/etc")
    assert find_path("owner/name") == Path("owner/name")


@pytest.mark.usefixtures("copy")
def test_a_relative_work_folder_is_that_of_the_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_WORK_DIR", "../work")
    assert work_dir().resolve() == (repository.parent / "work").resolve()
    monkeypatch.delenv("SNOWCODER_WORK_DIR")
    assert work_dir() == repository / ".work"


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("message", ["data/mine.csv: not found; look again", "cannot open data/mine.csv", "read 'data/mine.csv'."])
def test_an_error_about_an_untracked_file_says_what_to_do(message: str) -> None:
    hint = untracked_hint(message)
    assert "`git add data/mine.csv`" in hint
    assert "--copy-paths data/mine.csv" in hint


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("message", ["data/other.csv: not found", "repeats: 3; allowed: 1", "", "tracked: a folder"])
def test_other_errors_get_no_hint(message: str) -> None:
    assert untracked_hint(message) == ""


def test_no_hint_in_the_repository_itself(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.setenv("DVC_ROOT", str(repository))
    assert untracked_hint("data/mine.csv: broken") == ""

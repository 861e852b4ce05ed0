"""snowcoder.corpus.source_paths: what a path of params.yaml refers to, in the repository and in an experiment's copy."""

from pathlib import Path

import pytest

from snowcoder.corpus.repository_limits import LeftOut
from snowcoder.corpus.source_paths import list_files, meant_path, source_path
from snowcoder.errors import SourceError


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, with the working directory in a copy of it where DVC would make one."""
    original = tmp_path / "repository"
    copy = original / ".dvc" / "tmp" / "exps" / "standalone" / "tmp123"
    for folder in (original / "tracked", copy / "tracked", original / "unknown", tmp_path / "outside"):
        folder.mkdir(parents=True)
        (folder / "a.jsonl").write_text("{}\n")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(original))
    return original


def test_a_path_outside_the_repository_is_found_from_the_copy(original: Path) -> None:
    outside = original.parent / "outside"
    assert source_path("../outside", (".jsonl",)) == outside
    assert source_path("tracked/../../outside/a.jsonl") == outside / "a.jsonl"
    assert source_path(str(outside)) == outside
    assert meant_path("../missing") == original.parent / "missing"


@pytest.mark.parametrize("endings", [(), (".jsonl",)])
def test_what_git_knows_in_part_is_refused_and_what_it_does_not_know_is_read_from_the_repository(
    original: Path, endings: tuple[str, ...]
) -> None:
    assert source_path("tracked", endings) == Path("tracked")
    assert source_path("unknown", endings) == original / "unknown"
    (original / "tracked" / "new.jsonl").write_text("{}\n")
    with pytest.raises(SourceError, match=r"tracked/new\.jsonl: not in the copy .*`git add` and commit it"):
        source_path("tracked", endings)


def test_files_that_are_not_read_may_be_missing_in_the_copy(original: Path) -> None:
    (original / "tracked" / "notes.md").write_text("x")
    assert source_path("tracked", (".jsonl",)) == Path("tracked")
    (original / "tracked" / "deep").mkdir()
    (original / "tracked" / "deep" / "b.jsonl").write_text("{}\n")
    with pytest.raises(SourceError, match=r"tracked/deep/b\.jsonl: not in the copy"):
        source_path("tracked", (".jsonl",))


def test_in_the_repository_itself_a_path_is_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for root in ("", str(tmp_path)):
        monkeypatch.setenv("DVC_ROOT", root)
        assert [source_path(name) for name in ("../rows", "rows")] == [Path("../rows"), Path("rows")]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert source_path("~/rows") == tmp_path / "rows"


def test_what_systems_leave_behind_is_hidden_and_links_are_followed_to_files_alone(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / ".elsewhere", tmp_path / ".rows"  # the folder itself may be hidden
    for name in (".rows/a.jsonl", ".rows/__MACOSX/._a.jsonl", ".rows/.ipynb_checkpoints/a.jsonl", ".rows/x.csv", ".elsewhere/b.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    (folder / "b.jsonl").symlink_to(elsewhere / "b.jsonl")
    (folder / "more").symlink_to(elsewhere)
    skipped = LeftOut()
    assert list_files(folder, (".jsonl",), skipped) == [folder / "a.jsonl", folder / "b.jsonl"]
    assert skipped.files_not_read == {"hidden": 2, ".csv": 1, "link to a folder": 1}


def test_a_link_that_leads_nowhere_is_a_file_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "annex" / "b")
    with pytest.raises(SourceError, match=r"b\.jsonl: a link to a missing file; fetch it"):
        list_files(tmp_path, (".jsonl",), LeftOut())

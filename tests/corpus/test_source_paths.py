"""snowcoder.corpus.source_paths: the files that a path of params.yaml means, in the repository and in an experiment's copy of it."""

from pathlib import Path

import pytest

from snowcoder.corpus.source_paths import meant_path, source_path
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

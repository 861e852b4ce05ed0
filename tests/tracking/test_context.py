"""Tags that say where a run stands."""

import subprocess
from pathlib import Path

import pytest

from snowcoder.tracking.context import is_dirty


@pytest.fixture
def repository(work: Path, tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/report.md").write_text("1")
    (tmp_path / "code.py").write_text("1")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    return tmp_path


def test_what_the_pipeline_writes_does_not_make_a_run_dirty(repository: Path) -> None:
    (repository / "results/report.md").write_text("2")
    (repository / "dvc.lock").write_text("new")
    assert is_dirty() == "false"


def test_changed_or_new_code_does(repository: Path) -> None:
    (repository / "code.py").write_text("2")
    assert is_dirty() == "true"
    (repository / "code.py").write_text("1")
    (repository / "more.py").write_text("1")
    assert is_dirty() == "true"


def test_params_count_unless_an_experiment_sets_them(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "params.yaml").write_text("a: 1\n")
    assert is_dirty() == "true"
    monkeypatch.setenv("DVC_EXP_NAME", "brave-newt")
    assert is_dirty() == "false"


def test_no_repository_is_unknown(work: Path) -> None:
    assert is_dirty() == "unknown"

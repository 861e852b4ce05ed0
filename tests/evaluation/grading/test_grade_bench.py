"""What bench.grade prints before it starts."""

import sys
from pathlib import Path

import pytest

from bench import grade
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE


@pytest.fixture
def evalplus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter that says it has evalplus 0.3.1."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 0.3.1\n")
    python.chmod(0o755)
    monkeypatch.setenv("EVALPLUS_PYTHON", str(python))
    return python


@pytest.mark.parametrize("python", ["/nonexistent/python", sys.executable])
def test_without_evalplus_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    monkeypatch.setenv("EVALPLUS_PYTHON", python)
    monkeypatch.setattr(grade, "EVALPLUS_VERSION", "0.0.0")  # this interpreter may have the right one
    with pytest.raises(
        SystemExit, match=r"EVALPLUS_PYTHON: .*: evalplus: found .*run `make \.venv-evalplus/\.installed`, then `EVALPLUS_PYTHON="
    ):
        grade.check_evalplus()


def test_without_the_benchmarks_files_it_names_them(evalplus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "MbppPlus.jsonl.gz").touch()
    with pytest.raises(SystemExit, match=rf"{FOLDER_VARIABLE}: found .*; needs a folder that holds HumanEvalPlus\.jsonl\.gz \("):
        grade.check_evalplus()
    (tmp_path / "HumanEvalPlus.jsonl.gz").touch()
    grade.check_evalplus()
    monkeypatch.delenv(FOLDER_VARIABLE)
    with pytest.raises(SystemExit, match=f"{FOLDER_VARIABLE}: found None"):
        grade.check_evalplus()

"""stages.filter_files on a small measured table: its messages about opt-outs and an empty result."""

import json
import shutil
from pathlib import Path

import pytest

from snowcoder.errors import EmptyResultError, ParameterError
from snowcoder.filtering.measuring import MEASURED_SCHEMA
from snowcoder.storage.shards import write_table
from stages import filter_files
from tests.filtering.rows import ROOT, measured

CODE = '"""Adds two numbers for the report of the year."""\n\n\ndef add(left, right):\n    return left + right\n'


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = measured([("python", CODE), ("css", CODE)], repository="https://github.com/Owner/Name.git", licence="MIT License")
    write_table(tmp_path / "data" / "measure_signals", [files], MEASURED_SCHEMA)
    for name in ("params.yaml", "data/filter_exceptions.csv"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "data" / "opt_out.csv").write_text("repository,reason\nnobody/x,\n")
    return tmp_path


def test_the_terminal_says_what_the_opt_out_list_did(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filter_files.main()
    assert "data/opt_out.csv: 1 entries, 0 files left out, 1 entries without match: nobody/x" in capsys.readouterr().err
    metrics = json.loads(Path("metrics/filter_files.json").read_text())
    assert metrics["rows_out"] == 2
    assert metrics["licences"] == {"files": {"permissive": 2}, "other": {"commonest": [], "distinct": 0}}


def test_an_empty_result_names_its_parameter_and_publishes_nothing(workspace: Path) -> None:
    Path("data/opt_out.csv").write_text("repository\nowner\n")
    with pytest.raises(
        EmptyResultError, match=r"filter_files\.opt_out: data/opt_out\.csv \(2 of 2 files; commonest found: 'https://github"
    ):
        filter_files.main()
    assert not Path("data/filter_files").exists()
    assert not Path("metrics/filter_files.json").exists()


def test_a_broken_list_ends_the_stage_before_anything_is_written(workspace: Path) -> None:
    Path("data/opt_out.csv").write_text('repository\n"owner/name\nother/x\n')
    with pytest.raises(ParameterError, match=r"data/opt_out\.csv:2: "):
        filter_files.main()
    assert not Path("data/filter_files").exists()

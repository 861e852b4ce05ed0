import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from bench.disguises import renamed_solution
from snowcoder.benchmarks.problem import write_problems
from snowcoder.decontamination.decontaminate_table import decontaminate_table
from snowcoder.decontamination.ledger import LEDGER_SCHEMA
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.execution import Run
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_table, write_table
from stages.decontaminate_files import main
from tests.decontamination.problems import PARAMS, ROOT, human_eval

PROBLEMS = human_eval()


def source_row(path: str, content: str) -> dict:
    return make_source_file(
        source="test", repository="r", path=path, language="python", content=content, licence="MIT", download_rank=None, revision="1"
    ).row()


ROWS = [
    source_row("clean.py", "import os\n\n\ndef f():\n    return os.getcwd()\n"),
    source_row("whole.py", PROBLEMS[4].prompt + PROBLEMS[4].canonical_solution),
    source_row("empty.py", ""),
    source_row("solution.py", "def g(paren_string):\n" + PROBLEMS[1].canonical_solution),
    source_row("again.py", "x = 1\n" + PROBLEMS[4].prompt),
    source_row("disguised.py", renamed_solution(PROBLEMS[1], "v")),
]


def write_source(folder: Path, rows: list[dict]) -> None:
    write_table(folder, [pa.Table.from_pylist(rows[start::2], SOURCE_FILE_SCHEMA) for start in (0, 1)], SOURCE_FILE_SCHEMA)


@pytest.fixture(autouse=True)
def _serial(monkeypatch):
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


def test_each_dropped_file_has_a_ledger_row(tmp_path):
    write_source(tmp_path / "in", ROWS)
    metrics = decontaminate_table(list_shards(tmp_path / "in"), PROBLEMS, PARAMS, tmp_path / "out", Run(tmp_path / "state", "test"))
    assert read_table(tmp_path / "out")["path"].to_pylist() == ["clean.py", "empty.py"]
    ledger = read_table(tmp_path / "out" / "ledger")
    assert ledger.schema == LEDGER_SCHEMA
    rows = {row["path"]: row for row in ledger.to_pylist()}
    assert {path: (row["source"], row["problem_id"]) for path, row in rows.items()} == {
        "whole.py": ("corpus", "HumanEval/4"),
        "solution.py": ("corpus", "HumanEval/1"),
        "again.py": ("corpus", "HumanEval/4"),
        "disguised.py": ("corpus", "HumanEval/1"),
    }
    assert all(0 < len(row["matched_text"]) <= 200 for row in rows.values())
    # a copy of a short solution is recognised by the statement next to it
    assert metrics["dropped"] == {"docstring": 2, "solution": 1, "syntax_tree": 1}
    assert {row["reason"] for row in rows.values()} == {"benchmark_overlap"}
    assert all(row["dropped"] for row in rows.values())
    assert metrics["contamination"] == {"humaneval": metrics["dropped"]}
    counts = {"problems": 164, "problems_blind": 0, "problems_blind_to_renaming": 21, "files_dropped": 4, "problems_found": 2}
    assert metrics["by_benchmark"] == {"humaneval": counts}


def test_a_file_with_problems_of_two_benchmarks_has_a_row_for_each(tmp_path):
    twins = [replace(problem, benchmark="twin") for problem in PROBLEMS[:5]]
    write_source(tmp_path / "in", ROWS[:2])
    problems, run = [*PROBLEMS, *twins], Run(tmp_path / "state", "test")
    metrics = decontaminate_table(list_shards(tmp_path / "in"), problems, PARAMS, tmp_path / "out", run)
    rows = read_table(tmp_path / "out" / "ledger").to_pylist()
    assert {(row["benchmark"], row["problem_id"]) for row in rows} == {("humaneval", "HumanEval/4"), ("twin", "HumanEval/4")}
    assert metrics["dropped"] == {"docstring": 1}
    assert metrics["contamination"] == {"humaneval": {"docstring": 1}, "twin": {"docstring": 1}}


@pytest.mark.parametrize("choice", ["drop", "keep"])
def test_files_of_generic_matches_alone_are_dropped_or_kept_and_counted_by_themselves(tmp_path, choice):
    prime = "def f(k):\n    if k < 2:\n        return False\n    for i in range(2, k):\n        if k % i == 0:\n            return False\n"
    prime += "    return True\n"
    write_source(tmp_path / "in", [ROWS[0], source_row("prime.py", prime), source_row("both.py", prime + ROWS[5]["content"])])
    params = PARAMS.model_copy(update={"generic_matches": choice})
    metrics = decontaminate_table(list_shards(tmp_path / "in"), PROBLEMS, params, tmp_path / "out", Run(tmp_path / "state", "test"))
    kept = choice == "keep"
    assert sorted(read_table(tmp_path / "out")["path"].to_pylist()) == ["clean.py", *["prime.py"] * kept]
    rows = read_table(tmp_path / "out" / "ledger").to_pylist()
    assert sorted((row["path"], row["problem_id"], row["reason"], row["dropped"]) for row in rows) == [
        ("both.py", "HumanEval/1", "benchmark_overlap", True),
        ("both.py", "HumanEval/75", "generic_match", True),
        ("prime.py", "HumanEval/75", "generic_match", not kept),
    ]
    assert metrics["dropped"] == {"syntax_tree": 1} | ({} if kept else {"generic_match": 1})
    assert metrics["generic_matches"] == {"matches": 2, "problems": 1, "files": 2, "files_kept": int(kept)}
    assert metrics["contamination"] == {"humaneval": {"generic_match": 1, "syntax_tree": 1}}
    assert metrics["by_benchmark"]["humaneval"]["files_dropped"] == 2 - kept


def test_the_bytes_are_the_same_for_any_number_of_workers(tmp_path, monkeypatch):
    write_source(tmp_path / "in", ROWS)
    shards = list_shards(tmp_path / "in")
    metrics = [decontaminate_table(shards, PROBLEMS, PARAMS, tmp_path / "serial", Run(tmp_path / "state1", "test"))]
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    metrics.append(decontaminate_table(shards, PROBLEMS, PARAMS, tmp_path / "workers", Run(tmp_path / "state2", "test")))
    assert metrics[0] == metrics[1]
    files = [
        {path.relative_to(tmp_path / side): path.read_bytes() for path in (tmp_path / side).rglob("*") if path.is_file()}
        for side in ("serial", "workers")
    ]
    assert files[0] == files[1] != {}


def test_no_problem_and_no_file_left_are_errors(tmp_path):
    write_source(tmp_path / "in", ROWS[1:2])
    shards = list_shards(tmp_path / "in")
    with pytest.raises(EmptyResultError, match="no problems to screen against"):
        decontaminate_table(shards, [], PARAMS, tmp_path / "out", Run(tmp_path / "state", "test"))
    with pytest.raises(EmptyResultError, match="no file is left of 1"):
        decontaminate_table(shards, PROBLEMS, PARAMS, tmp_path / "out", Run(tmp_path / "state", "test"))


def test_the_stage_publishes_table_ledger_and_metrics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path / "work"))
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    write_source(Path("data/deduplicate_files"), ROWS)
    write_problems(Path("data/fetch_benchmarks"), PROBLEMS)
    main()
    assert read_table(Path("data/decontaminate_files")).num_rows == 2
    assert read_table(Path("data/decontaminate_files/ledger")).num_rows == 4
    assert json.loads(Path("metrics/decontaminate_files.json").read_text())["rows_in"] == 6

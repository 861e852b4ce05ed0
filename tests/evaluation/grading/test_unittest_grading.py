"""Grading as BigCodeBench does, on made-up problems in its published schema."""

import json
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import SourceError
from snowcoder.evaluation.benchmark_prompts import calibrated, reference_of
from snowcoder.evaluation.grading.unittest_grading import PACKAGES_VARIABLE, check_references, grade_unittests

RECORD = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": 'import csv\nimport io\n\ndef task_func(text):\n    """Numbers of a CSV file, summed by column."""',
    "instruct_prompt": "Sum the columns of a CSV file. You should write self-contained code starting with: ...",
    "code_prompt": "import csv\nimport io\ndef task_func(text):",
    "canonical_solution": "    rows = list(csv.reader(io.StringIO(text)))\n    return [sum(map(int, column)) for column in zip(*rows)]",
    "test": (
        "import unittest\nclass TestCases(unittest.TestCase):\n"
        "    def test_one(self):\n        self.assertEqual(task_func('1,2\\n3,4'), [4, 6])\n"
        "    def test_empty(self):\n        self.assertEqual(task_func(''), [])\n"
    ),
    "entry_point": "task_func",
    "doc_struct": "{}",
    "libs": "['csv', 'io']",
}


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Problem:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "BigCodeBench.jsonl").write_text(json.dumps(RECORD) + "\n")
    [one] = load_benchmark("bigcodebench")
    return one


def verdicts(problem: Problem, *solutions: str) -> list[tuple[bool, str]]:
    [(_, found)] = grade_unittests({problem: solutions})
    return [verdict["base"] for verdict in found]


def test_every_test_must_pass(problem: Problem) -> None:
    right = reference_of(problem)
    body = "def task_func(text):\n    rows = list(csv.reader(io.StringIO(text)))\n    "
    found = verdicts(
        problem,
        right,
        calibrated(problem, body + "return [sum(map(int, column)) for column in zip(*rows)]"),
        calibrated(problem, body + "return [4, 6]"),
        calibrated(problem, body + "raise SystemExit(0)"),
        "import os\nos._exit(0)",
        "def task_func(",
    )
    assert [passed for passed, _ in found] == [True, True, False, False, False, False]
    assert found[2][1].startswith("test_empty: AssertionError")


def test_the_reference_is_checked_before_a_model_is_judged(problem: Problem) -> None:
    assert check_references([problem]) == {}
    needs_a_package = Problem("bigcodebench", "BigCodeBench/1", "import numpy\ndef f():", "    return 1", problem.test, "f", "unittest", "")
    assert "numpy" in check_references([needs_a_package])["BigCodeBench/1"]


def test_packages_are_mounted_by_name(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    uses = reference_of(problem).replace("import csv\n", "import csv\nimport numpy\n")
    assert verdicts(problem, uses)[0][0] is False
    monkeypatch.setenv(PACKAGES_VARIABLE, "numpy")
    assert verdicts(problem, uses)[0] == (True, "")


def test_a_missing_field_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "BigCodeBench.jsonl").write_text(json.dumps({key: value for key, value in RECORD.items() if key != "test"}) + "\n")
    with pytest.raises(SourceError, match=r"BigCodeBench\.jsonl: problem 'BigCodeBench/0': field test: found None"):
        load_benchmark("bigcodebench")

"""The grader as a program, on a made-up benchmark in EvalPlus' format."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.benchmarks.source_file import FOLDER_VARIABLE
from snowcoder.errors import EmptyResultError, SourceError
from snowcoder.evaluation import sample_files
from snowcoder.evaluation.sample_files import grade_file
from snowcoder.evaluation.samples import problems_without_sample, read_samples

ROOT = Path(__file__).resolve().parents[2]
RIGHT = "def last(numbers):\n    return numbers[-1]\n"
BASE_ONLY = "def last(numbers):\n    return max(numbers)\n"


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    rows = [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": "def last(numbers):\n",
            "entry_point": "last",
            "canonical_solution": "    return numbers[-1]\n",
            "base_input": [[[1, 2]]],
            "plus_input": [[[2, 1]]],
            "atol": 0,
        }
        for number in range(3)
    ]
    (tmp_path / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return load_benchmark("humaneval_plus", accept_changed=True)


def verdicts(path: Path) -> list[tuple[object, ...]]:
    return [tuple(json.loads(line)[key] for key in ("task_id", "index", "base", "plus")) for line in path.read_text().splitlines()]


def test_verdicts_come_in_the_order_of_the_samples(problems: list[Problem], tmp_path: Path) -> None:
    samples = write_lines(
        tmp_path / "samples.jsonl",
        {"task_id": "HumanEval/2", "solution": BASE_ONLY},
        {"task_id": "HumanEval/0", "solution": "x = 1\0"},
        "",
        {"task_id": "HumanEval/2", "completion": "    return numbers[-1]\n"},
        '{"task_id": "HumanEval/0", "solution": "def last(numbers):\\n    return \'\\ud800\'\\n"}',
    )
    summary = grade_file("humaneval_plus", problems, samples, tmp_path / "verdicts.jsonl")
    assert verdicts(tmp_path / "verdicts.jsonl") == [
        ("HumanEval/2", 0, True, False),
        ("HumanEval/0", 0, False, False),
        ("HumanEval/2", 1, True, True),
        ("HumanEval/0", 1, False, False),
    ]
    assert summary["problems_without_sample"] == ["HumanEval/1"]
    # HumanEval/2 has 2 of 2, HumanEval/0 none, and HumanEval/1, without a sample, none
    assert summary["base"]["pass@1"] == pytest.approx(1 / 3)
    assert summary["plus"]["pass@1"] == pytest.approx(1 / 6)
    assert json.loads((tmp_path / "verdicts.jsonl.summary.json").read_text())["samples"] == 4


def test_what_is_judged_is_not_judged_again(problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"task_id": f"HumanEval/{number}", "solution": RIGHT} for number in range(3)]
    out, judged = tmp_path / "verdicts.jsonl", []
    plain = sample_files.judge

    def interrupted(solutions, limits):  # type: ignore[no-untyped-def]
        for count, found in enumerate(plain(solutions, limits)):
            if len(judged) == 2:
                raise KeyboardInterrupt
            judged.append((count, found[0].problem_id))
            yield found

    monkeypatch.setattr(sample_files, "judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grade_file("humaneval_plus", problems, write_lines(tmp_path / "samples.jsonl", *rows), out)
    assert not out.exists()
    partial = Path(f"{out}.partial")
    partial.write_text(partial.read_text() + '{"key": "cut o')  # as a kill leaves it
    seen = []
    monkeypatch.setattr(sample_files, "judge", lambda solutions, limits: (seen.append(len(solutions)), plain(solutions, limits))[1])
    grade_file("humaneval_plus", problems, tmp_path / "samples.jsonl", out)
    assert seen == [1]
    assert [row[2:] for row in verdicts(out)] == [(True, True)] * 3
    assert not partial.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ('["HumanEval/0"]', "line 2: field task_id"),
        ('{"solution": "x"}', "line 2: field task_id"),
        ('{"task_id": "HumanEval/9", "solution": "x"}', "line 2: field task_id: found 'HumanEval/9'; allowed: problems of the benchmark"),
        ('{"task_id": "HumanEval/1", "solution": ["x"]}', r"line 2: field solution: allowed: text \(fields found: solution, task_id\)"),
        ('{"task_id": "HumanEval/1"}', "line 2: field solution"),
    ],
)
def test_a_line_that_is_no_sample_is_named(problems: list[Problem], tmp_path: Path, line: str, message: str) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": "x"}, line)
    with pytest.raises(SourceError, match=message):
        read_samples(path, problems)


def test_a_file_without_samples_and_none_at_all_are_told_apart(problems: list[Problem], tmp_path: Path) -> None:
    with pytest.raises(EmptyResultError, match="no sample"):
        read_samples(write_lines(tmp_path / "empty.jsonl"), problems)
    with pytest.raises(SourceError, match=r"gone\.jsonl: samples cannot be read"):
        read_samples(tmp_path / "gone.jsonl", problems)
    assert problems_without_sample([], problems) == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]


def test_the_program(problems: list[Problem], tmp_path: Path) -> None:
    write_lines(tmp_path / "samples.jsonl", *[{"task_id": problem.problem_id, "solution": RIGHT} for problem in problems])
    command = [sys.executable, "-m", "snowcoder.evaluation.grading", "--benchmark", "humaneval_plus", "--out", "out.jsonl"]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", FOLDER_VARIABLE: str(tmp_path), "SNOWCODER_TRACKING": "local"}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        whole = [*command, "--samples", "samples.jsonl", *more]
        return subprocess.run(whole, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    refused = run()
    assert refused.returncode == 1
    assert "error: SourceError" in refused.stderr
    assert "has changed" in refused.stderr
    result = run("--accept-changed", "humaneval_plus")
    assert result.returncode == 0, result.stderr
    assert "plus pass@1 100.0%" in result.stderr
    assert [row[2:] for row in verdicts(tmp_path / "out.jsonl")] == [(True, True)] * 3

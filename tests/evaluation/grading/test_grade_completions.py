import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ShardError
from snowcoder.evaluation.grading.grade_completions import grade_completions, summarise_grades
from snowcoder.sandbox.program import SandboxLimits

LIMITS = SandboxLimits(timeout_s=60.0, cpu_s=5, memory_bytes=2**29)
PROBLEM = Problem(
    "humaneval",
    "HumanEval/0",
    'def double(x):\n    """Twice x."""\n',
    "    return 2 * x\n",
    "def check(f):\n    assert f(3) == 6\n",
    "double",
)


def _row(completion: str, problem: Problem = PROBLEM) -> dict[str, object]:
    return {
        "benchmark": problem.benchmark,
        "problem_id": problem.problem_id,
        "sample": 0,
        "prompt": problem.prompt,
        "completion": completion,
    }


@pytest.mark.parametrize(
    ("completion", "outcome"),
    [
        ("    return 2 * x\n", "passed"),
        ("    return x\n", "failed"),
        ("    return 2 *\n", "failed"),  # does not parse
        ("    raise SystemExit(0)\n", "failed"),  # leaves before the tests have returned
    ],
)
def test_outcomes(completion: str, outcome: str) -> None:
    [grade] = grade_completions([_row(completion)], [PROBLEM], LIMITS)
    assert (grade["outcome"], grade["passed"]) == (outcome, outcome == "passed")
    assert set(grade) == {"benchmark", "problem_id", "sample", "passed", "base", "outcome", "detail"}


def test_grades_keep_the_order_of_the_completions() -> None:
    other = Problem("humaneval", "HumanEval/1", PROBLEM.prompt, PROBLEM.canonical_solution, PROBLEM.test, PROBLEM.entry_point)
    grades = grade_completions([_row("    return 0\n"), _row("    return x + x\n", other)], [PROBLEM, other], LIMITS)
    assert [(grade["problem_id"], grade["passed"]) for grade in grades] == [("HumanEval/0", False), ("HumanEval/1", True)]


def test_missing_and_unknown_problems_are_refused() -> None:
    with pytest.raises(ShardError, match=r"differ in 1 problems, such as \('humaneval', 'HumanEval/0'\)"):
        grade_completions([], [PROBLEM], LIMITS)


def test_the_summary_counts_completions_that_do_not_parse(capsys: pytest.CaptureFixture[str]) -> None:
    completions = [_row("    return 2 * x\n"), _row("    return 2 * x</s>"), _row("    return (\n"), _row("    return x\n```\n")]
    grades = grade_completions(completions, [PROBLEM], LIMITS)
    assert summarise_grades(grades, completions)["humaneval"]["unparsed"] == {"samples": 3, "end_token": 1, "code_fence": 1}
    assert "3 of 4 samples do not parse" in capsys.readouterr().err
    assert "unparsed" not in summarise_grades(grades[:1], completions[:1])["humaneval"]


def test_summary_has_the_rate_and_its_interval() -> None:
    rows = [
        {"benchmark": "humaneval", "problem_id": str(n), "passed": n < 46, "base": n < 46, "outcome": "passed" if n < 46 else "failed"}
        for n in range(164)
    ]
    summary = summarise_grades(rows)["humaneval"]
    assert "base" not in summary
    assert (summary["passed"], summary["total"], summary["outcomes"]) == (46, 164, {"failed": 118, "passed": 46})
    assert summary["pass@1"] == pytest.approx(46 / 164)
    assert summary["ci95"] == pytest.approx((0.217, 0.354), abs=1e-3)

"""The grader on all of HumanEval: every reference solution passes, and no empty body does."""

from dataclasses import replace

import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.benchmark_prompts import Asking
from snowcoder.evaluation.generating.completions import complete_problems
from snowcoder.evaluation.grading.grade_completions import grade_completions, summarise_grades
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.scripted_engine import ScriptedEngine
from snowcoder.sandbox.program import SandboxLimits

pytestmark = pytest.mark.slow
LIMITS = SandboxLimits(timeout_s=120.0, cpu_s=20, memory_bytes=2**30)


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return load_benchmark("humaneval")


def _graded(problems: list[Problem], strip_prompt: bool) -> tuple[int, list[str]]:
    """(problems, those that passed), with each problem's canonical_solution as its completion."""
    # where the prompt ends in no newline, the model begins with one
    start = "\n" if strip_prompt else ""
    prompt_of = Asking(strip_prompt=strip_prompt).prompt
    script = {prompt_of(problem): start + problem.canonical_solution for problem in problems}
    rows = complete_problems(ScriptedEngine(script), problems, Sampling(10_000), prompt_of)
    grades = grade_completions(rows, problems, LIMITS)
    summary = summarise_grades(grades)["humaneval"]
    passed = [grade["problem_id"] for grade in grades if grade["passed"]]
    assert summary["passed"] == len(passed)
    return summary["total"], passed


@pytest.mark.parametrize("strip_prompt", [True, False])
def test_every_reference_solution_passes(problems: list[Problem], strip_prompt: bool) -> None:
    total, passed = _graded(problems, strip_prompt)
    assert total == 164
    assert sorted({problem.problem_id for problem in problems} - set(passed)) == []


def test_no_empty_body_passes(problems: list[Problem]) -> None:
    total, passed = _graded([replace(problem, canonical_solution="    pass\n") for problem in problems], strip_prompt=True)
    assert (total, passed) == (164, [])

"""Grades solutions of BigCodeBench with its unittests.

in: problems of grader `unittest`, solutions   out: a verdict per solution: {"base": (passed, detail)}

The official limit is 240 s of wall time, or the reference's own time if that is longer; here it is time on a processor or asleep
(stopwatch.py). Packages that solutions import are those named in SNOWCODER_BENCHMARK_PACKAGES (distributions, by commas) and installed
here: they are mounted read-only. One process, no network, no forks: problems whose tests start a process or a server fail, their reference
too; `check_references` finds them.
"""

import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.benchmark_prompts import reference_of
from snowcoder.evaluation.grading import stopwatch, unittest_checker
from snowcoder.evaluation.grading.work_queue import Verdict, share_in_workshops
from snowcoder.pipeline import environment
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.sandbox.workshop import Workshop

MODULES = (stopwatch, unittest_checker)
PACKAGES_VARIABLE = "SNOWCODER_BENCHMARK_PACKAGES"
LIMIT_S = 240.0
LIMITS = SandboxLimits(timeout_s=3600.0, cpu_s=300, memory_bytes=32 * 2**30, tmp_bytes=2**30, max_output_bytes=2**16)


def grade_unittests(solutions: Mapping[Problem, Sequence[str]]) -> Iterator[tuple[Problem, list[Verdict]]]:
    """The verdicts on the solutions of each problem, in order."""
    return share_in_workshops(solutions, lambda workshop, problem: partial(_check, workshop, problem), MODULES, packages())


def check_references(problems: Sequence[Problem]) -> dict[str, str]:
    """problem_id -> why its own solution fails, for those that fail here: their score says nothing about a model."""
    graded = grade_unittests({problem: [reference_of(problem)] for problem in problems})
    return {problem.problem_id: verdict["base"][1] for problem, [verdict] in graded if not verdict["base"][0]}


def packages() -> list[str]:
    """Distributions that solutions may import."""
    return [name.strip() for name in environment.text(PACKAGES_VARIABLE).split(",") if name.strip()]


def _check(workshop: Workshop, problem: Problem, solution: str) -> Verdict:
    request = pickle.dumps({"solution": solution, "test": problem.test, "limit_s": LIMIT_S})
    answer = workshop.call(unittest_checker.check_tests, request, LIMITS)
    if not answer.outcome.passed:
        return {"base": (False, f"{answer.outcome.status}: {answer.outcome.detail}")}
    found = json.loads(answer.result)
    return {"base": (bool(found["passed"]), str(found["detail"]))}

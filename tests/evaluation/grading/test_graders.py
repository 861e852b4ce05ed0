"""One solution, graded by all graders."""

import json

import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.grading.graders import Judgement, judge
from snowcoder.sandbox.program import SandboxLimits

LIMITS = SandboxLimits(timeout_s=60.0, cpu_s=3, memory_bytes=2**30)
HEAD = "def double(x):\n"
RIGHT = HEAD + "    return 2 * x\n"
MAIN = '\nif __name__ == "__main__":\n'
UNITTEST = "import unittest\nclass TestCases(unittest.TestCase):\n    def test(self):\n        self.assertEqual(double(3), 6)\n"
PLUS = {"family": "humaneval", "atol": 0, "base": [[3]], "plus": [[4]]}
EVOEVAL = {"part": "difficult", "base": ["3", "4"]}


def problem(benchmark: str, test: str, grader: str, inputs: dict[str, object] | None = None) -> Problem:
    return Problem(benchmark, f"{benchmark}/0", HEAD, "    return 2 * x\n", test, "double", grader, json.dumps(inputs) if inputs else "")


PROBLEMS = [
    problem("humaneval", "def check(f):\n    assert f(3) == 6\n", "program"),
    problem("humaneval_plus", "", "evalplus", PLUS),
    problem("evoeval_difficult", "", "evoeval", EVOEVAL),
    problem("bigcodebench", UNITTEST, "unittest"),
]


@pytest.mark.parametrize(
    ("solution", "passed"),
    [
        (RIGHT, True),
        (RIGHT + MAIN + "    x = input()\n", True),
        (RIGHT + MAIN + "    main()\n", True),
        (RIGHT + MAIN + "    import sys\n    sys.exit(1)\n", True),
        (RIGHT + MAIN + "    assert double(1) == 3\n", True),
        (HEAD + "    return x\n" + MAIN + "    double = lambda x: 2 * x\n", False),
        (RIGHT + "<|endoftext|>", False),
        (RIGHT + "\nraise SystemExit(0)\n", False),
        (RIGHT + "\nmain()\n", False),
    ],
)
def test_benchmarks_agree_on_a_solution(solution: str, passed: bool) -> None:
    judged: dict[str, list[Judgement]] = {one.benchmark: found for one, found in judge({one: [solution] for one in PROBLEMS}, LIMITS)}
    assert {name: found.passed for name, [found] in judged.items()} == {one.benchmark: passed for one in PROBLEMS}
    assert all(found.outcome == ("passed" if passed else "failed") for [found] in judged.values())

"""Grading by returned values, on a made-up problem with two groups of inputs."""

import json
from collections.abc import Sequence

import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import SourceError
from snowcoder.evaluation.grading import differential
from snowcoder.evaluation.grading.differential import grade_problems

HEAD = "def last(numbers):\n"


def problem(family: str = "humaneval", solution: str = "    return numbers[-1] * 1.0\n", **changes: object) -> Problem:
    inputs = {"family": family, "atol": 0, "base": [[[1, 2]], [[3]]], "plus": [[[5, 4]], [[0.1, 0.2]]]} | changes
    return Problem("humaneval_plus", "HumanEval/0", HEAD, solution, "", "last", grader="evalplus", inputs=json.dumps(inputs))


def verdicts(solutions: Sequence[str], chosen: Problem | None = None) -> list[tuple[bool, ...]]:
    [(_, found)] = grade_problems({chosen or problem(): solutions})
    return [tuple(passed for passed, _ in verdict.values()) for verdict in found]


# (solution, base, plus). Base is over when plus ends the process; each group starts from the solution's text; EvalPlus takes `open` away
CASES = [
    (HEAD + "    return float(numbers[-1])\n", True, True),
    (HEAD + "    return float(numbers[-1]) + 1e-8\n", True, True),
    (HEAD + "    return float(numbers[-1]) + 1e-3\n", False, False),
    (HEAD + "    return max(numbers) * 1.0\n", True, False),
    (HEAD + "    return {2: 2.0, 3: 3.0}[numbers.pop()]\n", True, False),
    (HEAD + "    return numbers[-1] * 1.0 if len(numbers) == 2 and numbers[1] != 2 else None\n", False, True),
    (HEAD + "    return str(numbers[-1])\n", False, False),
    (HEAD + "    print(numbers)\n    return numbers[-1] * 1.0\n", True, True),
    (HEAD + "    numbers.sort()\n    return numbers[-1] * 1.0\n", True, False),
    (HEAD + "    return input()\n", False, False),
    (HEAD + "    raise SystemExit(0)\n", False, False),
    (HEAD + "    import os\n    os._exit(0)\n", False, False),
    (
        HEAD + "    import os\n    if 4 in numbers: os._exit(0)\n    return numbers[-1] * 1.0\n",
        True,
        False,
    ),
    (HEAD + "    return numbers[-\n", False, False),
    ("def other(numbers):\n    return 1.0\n", False, False),
    ("", False, False),
    (HEAD + "    return numbers[-1] * 1.0\0\n", False, False),
    (HEAD + "    return '\ud800'\n", False, False),
    ("x = 1\n" * 2000 + HEAD + "    return numbers[-1] * 1.0\n", True, True),
    (
        "seen = []\n" + HEAD + "    seen.append(1)\n    return numbers[-1] * 1.0 if len(seen) < 3 else None\n",
        True,
        True,
    ),
    (HEAD + "    import numpy\n    return float(numpy.array(numbers)[-1])\n", True, True),
    (HEAD + "    open('x', 'w')\n    return numbers[-1] * 1.0\n", False, False),
    ("if __name__ == '__main__':\n    raise ValueError\n" + HEAD + "    return numbers[-1] * 1.0\n", True, True),
]


def test_verdicts() -> None:
    found = verdicts([solution for solution, _, _ in CASES])
    expected = [(base, plus) for _, base, plus in CASES]
    wrong = [(CASES[index][0][:80], verdict) for index, verdict in enumerate(found) if verdict != expected[index]]
    assert wrong == []


def test_a_call_has_a_second_of_its_own_time_and_endless_loops_end() -> None:
    loop = HEAD + "    while True:\n        pass\n"
    asleep = HEAD + "    import time\n    time.sleep(30)\n    return numbers[-1] * 1.0\n"
    small = problem(base=[[[1, 2]]], plus=[[[5, 4]]])
    assert verdicts([loop, asleep], small) == [(False, False)] * 2


def test_ten_megabytes_of_completion_are_one_sample() -> None:
    text = HEAD + "    return numbers[-1] * 1.0\n" + "#" * 10_000_000
    assert verdicts([text, "x" * 10_000_000]) == [(True, True), (False, False)]


def test_sets_and_tuples_of_mbpp_come_back_from_json() -> None:
    inputs = {"base": [[[1, 2], [2, 3]]], "plus": [[[], []]]}
    mbpp = problem("mbpp", "    return type(numbers).__name__\n", **inputs)
    mbpp = Problem(
        **{name: getattr(mbpp, name) for name in Problem.__slots__} | {"problem_id": "Mbpp/2", "prompt": "def last(numbers, more):\n"}
    )
    assert verdicts(["def last(numbers, more):\n    return 'tuple'\n"], mbpp) == [(True, True)]


def test_a_problem_whose_own_solution_fails_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"humaneval_plus: HumanEval/0: its reference solution ended with failed \(KeyError"):
        verdicts([""], problem(solution="    return {}[1]\n"))


def test_a_problem_whose_own_solution_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert differential.REFERENCE_CPU_S <= 2 * (differential.MAX_GROUP_S + differential.GROUP_GRACE_S) + differential.START_S
    monkeypatch.setattr(differential, "REFERENCE_CPU_S", 1)
    with pytest.raises(SourceError, match="humaneval_plus: HumanEval/0: its reference solution ended with timeout"):
        verdicts([""], problem(solution="    while True:\n        pass\n"))


def test_a_reference_may_return_data_but_no_code() -> None:
    with pytest.raises(SourceError, match="HumanEval/0"):
        verdicts([""], problem(solution="    import functools\n    return functools.partial(print)\n"))


def test_evoeval_inputs_are_python_text() -> None:
    inputs = json.dumps({"part": "difficult", "base": ["[1, 2]", "{3: (4,)}.get(3)"]})
    evoeval = Problem("evoeval_difficult", "difficult/EvoEval/0", HEAD, "    return numbers[-1]\n", "", "last", "evoeval", inputs)
    found = verdicts(
        [HEAD + "    return list(numbers)[-1]\n", HEAD + "    return numbers[0]\n", HEAD + "    return float(numbers[-1])\n"], evoeval
    )
    assert found == [(True,), (False,), (False,)]

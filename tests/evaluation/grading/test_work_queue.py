import threading

import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.grading.work_queue import WorkQueue, share_in_workshops
from tests.sandbox import calls


def problem(number: int) -> Problem:
    return Problem("b", f"b/{number}", "", "", "", "f")


def solutions(*counts: int) -> dict[Problem, list[str]]:
    return {problem(number): [f"{number}.{index}" for index in range(count)] for number, count in enumerate(counts)}


def test_problems_are_begun_in_their_order_then_the_longest_is_helped_with() -> None:
    queue: WorkQueue[int] = WorkQueue(solutions(3, 0, 5, 1))
    begun = [queue.next() for _ in range(3)]
    assert [work.problem.problem_id for work in begun if work] == ["b/0", "b/2", "b/3"]
    helped = queue.next()
    assert helped is begun[1]
    for work in begun[:2]:
        while work is not None and len(work.left) > 1:
            work.take()
    assert queue.next() is None  # one left is not worth a second run of the reference


@pytest.mark.parametrize("workers", ["1", "3"])
def test_every_solution_is_judged_once_and_in_order(monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("SNOWCODER_WORKERS", workers)
    wanted, judged, lock = solutions(4, 0, 7, 1, 30), [], threading.Lock()

    def judge(solution: str) -> str:
        with lock:
            judged.append(solution)
        return solution * 2

    found = list(share_in_workshops(wanted, lambda workshop, one: judge, [calls]))
    assert [one for one, _ in found] == list(wanted)
    assert [verdicts for _, verdicts in found] == [[text * 2 for text in texts] for texts in wanted.values()]
    assert sorted(judged) == sorted(text for texts in wanted.values() for text in texts)


@pytest.mark.parametrize("workers", ["1", "3"])
def test_an_error_of_one_worker_ends_all(monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("SNOWCODER_WORKERS", workers)

    def judge(solution: str) -> str:
        if solution == "2.3":
            raise RuntimeError("broken")
        return solution

    with pytest.raises(RuntimeError, match="broken"):
        list(share_in_workshops(solutions(4, 2, 7, 30), lambda workshop, one: judge, [calls]))


def test_a_reader_may_stop_early() -> None:
    found = share_in_workshops(solutions(2, 2, 2), lambda workshop, one: str.upper, [calls])
    next(found)
    found.close()

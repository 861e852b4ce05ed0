"""Shares solutions out among workers: each takes a problem at a time, as what a problem needs first (its reference) is done once for all of
its solutions; when no problem is left to begin, a worker helps with the one that has most solutions left.

in: problem -> solutions   out: (problem, verdicts on its solutions), in the order of the problems
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import ModuleType
from typing import Generic, TypeVar

from snowcoder.benchmarks.problem import Problem
from snowcoder.pipeline.execution import executor_name, worker_count
from snowcoder.sandbox.workshop import Workshop

V = TypeVar("V")
Verdict = dict[str, tuple[bool, str]]  # group of tests -> (passed, detail)
MIN_LEFT_TO_HELP = 2  # a helper has to run the reference again


class Work(Generic[V]):
    """One problem: solutions that nobody has taken yet, verdicts so far."""

    def __init__(self, problem: Problem, solutions: Sequence[str]) -> None:
        self.problem = problem
        self.left = deque(solutions)
        self.verdicts: dict[str, V] = {}
        self.done = threading.Event()
        self.total = len(solutions)
        if not solutions:
            self.done.set()

    def take(self) -> str | None:
        """A solution to judge, or None."""
        try:
            return self.left.popleft()
        except IndexError:
            return None

    def put(self, solution: str, verdict: V) -> None:
        """The verdict on a solution that was taken."""
        self.verdicts[solution] = verdict
        if len(self.verdicts) == self.total:
            self.done.set()


class WorkQueue(Generic[V]):
    """All problems, for several threads."""

    def __init__(self, solutions: Mapping[Problem, Sequence[str]]) -> None:
        self.works: list[Work[V]] = [Work(problem, list(dict.fromkeys(texts))) for problem, texts in solutions.items()]
        self._waiting = deque(self.works)
        self._lock = threading.Lock()
        self._is_stopped = False

    def next(self) -> Work[V] | None:
        """A problem to work on: one that nobody has begun, else one to help with; None if there is neither."""
        with self._lock:
            if self._is_stopped:
                return None
            while self._waiting:
                work = self._waiting.popleft()
                if work.left:
                    return work
            most = max(self.works, key=lambda work: len(work.left), default=None)
            return most if most is not None and len(most.left) >= MIN_LEFT_TO_HELP else None

    def stop(self) -> None:
        """Give out nothing more, and let nobody wait."""
        with self._lock:
            self._is_stopped = True
            for work in self.works:
                work.left.clear()
                work.done.set()


def share_in_workshops(
    solutions: Mapping[Problem, Sequence[str]],
    prepare: Callable[[Workshop, Problem], Callable[[str], V]],
    modules: Sequence[ModuleType],
    packages: Sequence[str] = (),
) -> Iterator[tuple[Problem, list[V]]]:
    """The verdicts on the solutions of each problem, in order; equal solutions are judged once.

    prepare(workshop of `modules`, problem) gives the function that judges a solution. As many workers as the environment has.
    """
    queue: WorkQueue[V] = WorkQueue(solutions)
    workers = 1 if executor_name() == "serial" else worker_count()

    def run() -> None:
        try:
            with Workshop(modules, packages=packages) as workshop:
                while (work := queue.next()) is not None:
                    judge = prepare(workshop, work.problem)
                    while (solution := work.take()) is not None:
                        work.put(solution, judge(solution))
        except BaseException:
            queue.stop()
            raise

    with ExitStack() as stack:
        # threads suffice: each waits for a process of its own
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        stack.callback(queue.stop)  # also where the reader of the results stops early
        running: list[Future[None]] = [pool.submit(run) for _ in range(workers)]
        for work in queue.works:
            work.done.wait()
            for one in running:
                if one.done():
                    one.result()
            if len(work.verdicts) < work.total:
                for one in running:
                    one.result()
            yield work.problem, [work.verdicts[text] for text in solutions[work.problem]]

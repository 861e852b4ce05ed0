"""EvalPlus' own solutions all pass their own tests."""

import os
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.evaluation.benchmark_prompts import reference_of
from snowcoder.evaluation.grading.differential import grade_problems

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("benchmark", "file", "total"), [("humaneval_plus", "HumanEvalPlus", 164), ("mbpp_plus", "MbppPlus", 378)])
def test_every_reference_passes_base_and_plus(benchmark: str, file: str, total: int) -> None:
    if not (Path(os.environ.get(FOLDER_VARIABLE, "/nonexistent")) / f"{file}.jsonl.gz").is_file():
        pytest.skip(f"{file}.jsonl.gz is not in ${FOLDER_VARIABLE}")
    graded = list(grade_problems({problem: [reference_of(problem)] for problem in load_benchmark(benchmark)}))
    failed = {problem.problem_id: verdict for problem, [verdict] in graded if not all(passed for passed, _ in verdict.values())}
    assert (len(graded), failed) == (total, {})

"""What an experiment prints while it runs: the time left follows from the branches that this process has finished."""

import pyarrow as pa
import pytest

from snowcoder.experiment.branch_progress import MEASURED_STEPS, SKIPPED_STEPS, BranchProgress, FirstSteps
from snowcoder.experiment.branch_rows import BRANCH_SCHEMA
from snowcoder.experiment.branches import PARENT, Branch, plan_branches
from tests.experiment.small_experiment import PARAMS
from tests.pretraining.watch.steps import make_step

PLAN = plan_branches(PARAMS)


def rows_of(branch: Branch, bits: float) -> pa.Table:
    """One text of two bytes in the set of the endpoint."""
    columns = [[branch.arm], [branch.draw], [branch.learning_rate], ["solutions"], [0], ["c"], [2], [bits], [1.0], [1.0]]
    return pa.table(columns, schema=BRANCH_SCHEMA)


def test_the_time_left_is_that_of_the_branches_of_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    reports: list[tuple[dict[str, float], int]] = []
    progress = BranchProgress(PLAN, PARAMS, lambda metrics, finished: reports.append((dict(metrics), finished)))
    progress.take(PARENT, rows_of(PARENT, 8.0))
    progress.take(PLAN[0], rows_of(PLAN[0], 6.0))  # finished before a kill
    for branch, elapsed_s in ((PLAN[1], 60.0), (PLAN[2], 120.0)):
        progress.take(branch, rows_of(branch, 5.0))
        progress.tell(branch, elapsed_s)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "branch 2/10: random, draw 1, rate 0.0001: 2.5000 bits per byte (solutions), 60 s, 8 min left"
    assert lines[1] == "branch 3/10: best, draw 1, rate 0.003: 2.5000 bits per byte (solutions), 120 s, 10 min left"  # 7 of 90 s
    # the second rate is not part of an arm's mean
    assert reports[-1] == ({"endpoint/alpha": 4.0, "endpoint/random": 3.0, "endpoint/best": 2.5}, 3)


def test_the_first_steps_give_a_speed_once(capsys: pytest.CaptureFixture[str]) -> None:
    first = FirstSteps(tokens_left=360_000)
    for number in range(1, 2 * (SKIPPED_STEPS + MEASURED_STEPS)):
        first.see(make_step(number, elapsed_s=100.0 if number <= SKIPPED_STEPS else 1.0))
    assert capsys.readouterr().err.splitlines() == [
        "train_branches: 100 tokens/s in the first steps: 1 h 00 min of training left, without measuring"
    ]

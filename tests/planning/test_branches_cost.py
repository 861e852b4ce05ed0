"""The cost of a comparison of data, against hand-computed points."""

import pytest

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.planning.branches_cost import plan_branch_stage
from snowcoder.planning.pretraining_cost import count_parameters
from snowcoder.planning.stage_plan import StagePlan
from tests.experiment.small_experiment import SECTION
from tests.planning.test_model_stages import SPEEDS
from tests.planning.test_pretraining_cost import PAPER

PARAMS = BranchesParams.model_validate(SECTION | {"tokens": 64_000_000, "batch_tokens": 64_000})
MEASURED_ONCE = StagePlan("measure_bits_per_byte x 1", tokens=1e6, flops=2e15, hours=0.5, disk_bytes=0, n_devices=1, basis="")


def test_every_branch_is_trained_and_measured_and_the_parent_is_measured() -> None:
    plan = plan_branch_stage(PARAMS, PAPER, 10**10, MEASURED_ONCE, SPEEDS)
    # draws: random 3, best 2, matched 2, and one each at the second rate: 10 branches, 11 models to measure
    assert plan.tokens == 10 * 64_000_000 + 11 * 1e6
    assert plan.flops == 10 * 64_000_000 * 1e10 + 11 * 2e15
    assert plan.hours == pytest.approx(10 * 64_000_000 * 1e10 / 4e14 / 3600 + 11 * 0.5)
    assert plan.disk_bytes == 2 * 64_000_000 + count_parameters(PAPER) * 4 * 3 * 2
    assert plan.basis.startswith("10 branches of 64,000,000 tokens")

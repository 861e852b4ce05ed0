"""The plan of branches: which, in which order, with which schedule and seed."""

from collections import Counter

import pytest

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branches import Branch, phase_of, plan_branches
from snowcoder.pretraining.schedule import learning_rate
from tests.experiment.small_experiment import PARAMS, SECTION


def test_every_arm_has_its_draws_and_the_further_rates_have_fewer() -> None:
    counts = Counter((branch.arm, branch.learning_rate) for branch in plan_branches(PARAMS))
    assert counts == {
        ("random", 0.003): 3,
        ("best", 0.003): 2,
        ("matched", 0.003): 2,
        ("random", 0.0001): 1,
        ("best", 0.0001): 1,
        ("matched", 0.0001): 1,
    }


def test_a_draw_is_finished_before_the_next_and_rates_of_a_choice_come_together() -> None:
    assert plan_branches(PARAMS)[:7] == [
        Branch("random", 1, 0.003),
        Branch("random", 1, 0.0001),
        Branch("best", 1, 0.003),
        Branch("best", 1, 0.0001),
        Branch("matched", 1, 0.003),
        Branch("matched", 1, 0.0001),
        Branch("random", 2, 0.003),
    ]
    draws = [branch.draw for branch in plan_branches(PARAMS)]
    assert draws == sorted(draws)


def test_without_draws_for_sensitivity_the_further_rates_are_not_trained() -> None:
    params = BranchesParams.model_validate(SECTION | {"sensitivity_draws": 0})
    assert {branch.learning_rate for branch in plan_branches(params)} == {0.003}


def test_the_order_of_sequences_depends_on_the_draw_alone() -> None:
    seeds: dict[int, set[int]] = {}
    for branch in plan_branches(PARAMS):
        seeds.setdefault(branch.draw, set()).add(phase_of(branch, PARAMS).seed)
    assert all(len(found) == 1 for found in seeds.values())
    assert len(set.union(*seeds.values())) == 3


def test_the_rate_of_a_branch_is_its_peak_and_falls_to_the_same_share_of_it() -> None:
    for rate in (0.003, 0.0001):
        phase = phase_of(Branch("best", 1, rate), PARAMS)
        steps = phase.tokens // phase.batch_tokens
        rates = [learning_rate(step, steps, phase.schedule) for step in range(steps)]
        assert max(rates) == pytest.approx(rate)
        assert rates[0] == pytest.approx(rate / 2)  # two steps of warm-up
        assert rates[-1] == pytest.approx(0.1 * rate)

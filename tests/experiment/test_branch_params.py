"""The section train_branches: what it refuses, in which words, and what belongs to a training's identity."""

from typing import Any

import pytest

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.pipeline.params import check
from tests.experiment.small_experiment import PARAMS, SECTION

ARMS: dict[str, Any] = SECTION["arms"]  # type: ignore[assignment]
FOUR_TIMES = {"best_4": {"by": "quality", "repeats": 4}}
FAULTS = [
    ({"tokens": 100}, "tokens: found 100; allowed: a multiple of batch_tokens 64; the nearest is 128"),
    ({"tokens": 10}, "tokens: found 10; allowed: a multiple of batch_tokens 64; the nearest is 64"),
    (
        {"schedule": {"kind": "linear", "final_fraction": 0.0, "warmup_steps": 13}},
        "schedule.warmup_steps: found 13; allowed: at most the 12 steps of a branch",
    ),
    ({"sensitivity_draws": 3}, "sensitivity_draws: found 3; allowed: at most draws 2"),
    ({"learning_rates": [0.1, 0.1]}, "learning_rates: found [0.1, 0.1]; allowed: each once"),
    ({"learning_rates": [0.0]}, "learning_rates.0: found 0.0; allowed: a number above 0 and below 1"),
    ({"endpoint": ["held_out", "held_out"]}, "endpoint: found ['held_out', 'held_out']; allowed: each set once"),
    ({"pool_fraction": 1.1}, "pool_fraction: found 1.1; allowed: a number above 0 and at most 1"),
    (
        {"arms": ARMS | {"alpha": {"by": "random"}}},
        "arms: found an arm alpha, which is the name of the parent in the results; allowed: ",
    ),
    ({"arms": ARMS | {"a b": {"by": "random"}}}, "arms: found the key 'a b'; allowed: text of the form"),
    (
        {"arms": ARMS | {"often": {"by": "random", "repeats": 769}}},
        "arms.often.repeats: found 769; allowed: at most tokens 768",
    ),
    (
        {"arms": ARMS | FOUR_TIMES},
        "arms: best_4 repeats its tokens 4 times and has no control that does; add an arm such as random_4: {by: random, repeats: 4}",
    ),
    (
        {"arms": ARMS | FOUR_TIMES | {"random_4": {"by": "random", "repeats": 4}}, "claims": [["best_4", "random"]]},
        "claims.0: found best_4 of 4 repeats and random of 1, which see different numbers of unique tokens; "
        "allowed: arms of equal repeats; compare best_4 with random_4",
    ),
    ({"claims": [["best", "chance"]]}, "claims.0: found 'chance'; allowed: random, best, matched"),
    ({"claims": [["best", "best"]]}, "claims.0: found best twice; allowed: two arms"),
    ({"claims": [["best"]]}, "claims.0: "),
]


@pytest.mark.parametrize(("values", "fault"), FAULTS, ids=[str(values) for values, _ in FAULTS])
def test_what_contradicts_itself_is_refused(values: dict[str, Any], fault: str) -> None:
    checked, faults = check(SECTION | values, BranchesParams, "train_branches", {})
    assert checked is None
    assert len(faults) == 1
    assert faults[0].startswith(f"train_branches.{fault}")


def test_a_control_of_the_same_repeats_is_enough() -> None:
    arms = ARMS | FOUR_TIMES | {"random_4": {"by": "random", "repeats": 4}}
    assert BranchesParams.model_validate(SECTION | {"arms": arms, "claims": [["best_4", "random_4"]]})


def test_what_the_pages_read_does_not_train_again() -> None:
    read_later = {"endpoint": ["held_out"], "claims": [["best", "matched"]], "min_rank_correlation": 0.5}
    assert BranchesParams.model_validate(SECTION | read_later).model_dump() == PARAMS.model_dump()
    for change in ({"seed": 2}, {"draws": 1}, {"pool_fraction": 0.5}, {"arms": ARMS | {"more": {"by": "random"}}}):
        assert BranchesParams.model_validate(SECTION | change).model_dump() != PARAMS.model_dump()

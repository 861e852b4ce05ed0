"""Arms ranked from a tiny table by hand; rank correlations between halves of the draws and between learning rates."""

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.experiment.branches import Branch
from snowcoder.experiment.ranking import (
    control_of,
    correlation_between_halves,
    correlations_between_rates,
    fit_rate,
    is_ranking_claimed,
    paired_draws,
    rank_arms,
    rank_correlation,
)
from tests.experiment.made_up_branches import ARMS, branches_params

RATE, LOW = 3e-4, 1e-5


def values_of(levels: dict[str, list[float]], rate: float = RATE) -> dict[Branch, float]:
    """arm -> its value in draw 1, 2, …"""
    return {Branch(arm, draw, rate): value for arm, values in levels.items() for draw, value in enumerate(values, 1)}


def test_the_ranking_of_a_tiny_table_by_hand() -> None:
    """HQ is 0.2 below random in draw 1 and 0.4 in draw 2. shortest ran in draw 1 alone, in which the other three need 1.9 instead of
    2.8333 in draw 2: it is raised by half of that, to 2.5667, 0.0667 above random."""
    values = values_of({"random": [2.0, 3.0], "HQ": [1.8, 2.6], "HQ_repository": [1.9, 2.9], "shortest": [2.1]})
    fit = fit_rate(values, RATE)
    assert fit is not None
    ranked = rank_arms(fit, values, branches_params(draws=2, sensitivity_draws=0))
    assert [one.arm for one in ranked] == ["HQ", "HQ_repository", "random", "shortest"]
    differences = {one.arm: one.difference.value for one in ranked if one.difference}
    assert differences == pytest.approx({"HQ": -0.3, "HQ_repository": -0.1, "shortest": 0.2 / 3})
    assert {one.arm: one.n_draws for one in ranked} == {"HQ": 2, "HQ_repository": 2, "random": 2, "shortest": 1}
    assert [one.arm for one in ranked if one.control is None] == ["random"]


def test_the_parent_is_no_arm_and_a_rate_without_branches_has_no_fit() -> None:
    values = values_of({"random": [2.0], "HQ": [1.9], "alpha": [9.0]})
    fit = fit_rate(values, RATE)
    assert fit is not None
    assert set(fit.levels) == {"random", "HQ"}
    assert fit_rate(values, LOW) is None


def test_an_arm_is_compared_with_random_files_of_as_many_unique_tokens() -> None:
    arms = ARMS | {"HQ_4": {"by": "HQ", "repeats": 4}, "random_4": {"by": "random", "repeats": 4}}
    params = branches_params(arms=arms)
    controls = {arm: control_of(arm, params) for arm in arms}
    assert controls == {
        "random": None,
        "HQ": "random",
        "HQ_repository": "random",
        "shortest": "random",
        "HQ_4": "random_4",
        "random_4": None,
    }


def test_rank_correlation_by_hand() -> None:
    """Ranks 1 2 3 4 and 1 2 4 3: 1 - 6 * 2 / (4 * 15) = 0.8; arms of one side alone are left out."""
    first, second = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "only": 0.0}, {"a": 1.0, "b": 2.0, "c": 9.0, "d": 8.0}
    assert rank_correlation(first, second) == pytest.approx(0.8)
    assert rank_correlation({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}) is None, "two arms rank nothing"
    assert rank_correlation({"a": 1.0, "b": 1.0, "c": 1.0}, second) is None


def test_halves_of_three_draws_are_averaged_over_all_splits_by_hand() -> None:
    """Arms a, b, c. Draws 1 and 2 rank them a b c; draw 3 c b a, by less. Splits: 1 | 2 3 agrees, 2 | 1 3 agrees, 3 | 1 2 opposes."""
    values = values_of({"a": [1.0, 1.0, 3.0], "b": [3.0, 3.0, 2.5], "c": [5.0, 5.0, 2.0]})
    assert correlation_between_halves(values, RATE) == pytest.approx((1 + 1 - 1) / 3)


def test_two_draws_are_one_split_and_one_draw_is_none() -> None:
    values = values_of({"a": [1.0, 1.0], "b": [2.0, 3.0], "c": [3.0, 2.0]})
    assert correlation_between_halves(values, RATE) == pytest.approx(0.5)
    assert correlation_between_halves(values_of({"a": [1.0], "b": [2.0], "c": [3.0]}), RATE) is None


def test_only_halves_with_every_arm_in_both_are_compared() -> None:
    """c ran in draws 1 and 2 alone. Halves 1 | 2 3 and 2 | 1 3 have all arms, and agree; 3 | 1 2 would rank a, b and d alone."""
    values = values_of({"a": [1.0, 1.0, 9.0], "b": [2.0, 2.0, 2.1], "c": [3.0, 3.0], "d": [4.0, 4.0, 8.0]})
    apart = values_of({"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0], "c": [3.0, 3.0], "d": [4.0, 4.0, 4.0]})
    assert correlation_between_halves(apart, RATE) == pytest.approx(1)
    assert correlation_between_halves(values, RATE) != pytest.approx(1)


def test_an_arm_with_a_single_draw_cannot_be_ranked_by_halves() -> None:
    values = values_of({"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0], "c": [3.0], "d": [4.0, 4.0, 4.0]})
    assert correlation_between_halves(values, RATE) is None


def test_arms_that_share_no_draw_are_named() -> None:
    with pytest.raises(SnowcoderError, match=r"data/train_branches: learning rate 0\.0003: .*some arms share no draw"):
        fit_rate({Branch("a", 1, RATE): 1.0, Branch("b", 2, RATE): 2.0}, RATE)


def test_learning_rates_that_disagree() -> None:
    values = values_of({"random": [3.0], "HQ": [1.0], "shortest": [2.0]}) | values_of(
        {"random": [1.0], "HQ": [3.0], "shortest": [2.0]}, LOW
    )
    assert correlations_between_rates(values, branches_params()) == {LOW: pytest.approx(-1.0)}


@pytest.mark.parametrize(
    ("halves", "rates", "claimed"),
    [
        (0.95, {LOW: 0.95}, True),
        (0.95, {LOW: 0.89}, False),
        (0.89, {LOW: 0.95}, False),
        (None, {LOW: 0.95}, False),
        (0.95, {LOW: None}, False),
        (0.95, {}, False),
        (0.95, {LOW: 0.95, 1e-6: 0.5}, False),
    ],
)
def test_a_ranking_is_claimed_only_if_every_measured_correlation_is_high(
    halves: float | None, rates: dict[float, float | None], claimed: bool
) -> None:
    assert is_ranking_claimed(halves, rates, 0.9) == claimed


def test_paired_draws_by_hand() -> None:
    """Differences -0.2 and -0.4: mean -0.3, standard error 0.1414 / sqrt(2) = 0.1, t = -3 at one degree of freedom: p = 0.2048, and the
    95% quantile 12.7062. The draw that random alone has does not count, nor another rate."""
    values = values_of({"random": [2.0, 3.0, 9.0], "HQ": [1.8, 2.6]}) | values_of({"random": [7.0] * 3, "HQ": [1.0] * 3}, LOW)
    found = paired_draws(values, "HQ", "random", RATE)
    assert found is not None
    assert (found.value, found.standard_error) == (pytest.approx(-0.3), pytest.approx(0.1))
    assert found.interval == pytest.approx((-0.3 - 1.27062, -0.3 + 1.27062), abs=1e-4)
    assert found.p_value == pytest.approx(0.2048, abs=1e-4)


def test_paired_draws_need_two_that_both_arms_have() -> None:
    assert paired_draws(values_of({"random": [2.0, 3.0], "HQ": [1.8]}), "HQ", "random", RATE) is None
    same = paired_draws(values_of({"random": [2.0, 3.0], "HQ": [2.0, 3.0]}), "HQ", "random", RATE)
    assert same is not None
    assert (same.value, same.interval) == (0.0, None)

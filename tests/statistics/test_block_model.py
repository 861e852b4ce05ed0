"""The block model: differences by hand, missing draws, and intervals that hold as often as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.statistics.block_model import block_design, fit_blocks

ARMS, DRAWS = ["a", "a", "b", "b", "c", "c"], [1, 2, 1, 2, 1, 2]


def test_two_arms_in_three_draws_by_hand() -> None:
    """Differences 1, 2, 3 in the draws: mean 2, and the paired t test: standard error 1 / sqrt(3), t 3.46, p 0.0742 at 2 degrees."""
    fit = fit_blocks(["a", "b"] * 3, [1, 1, 2, 2, 3, 3], [11, 10, 22, 20, 33, 30])
    found = fit.difference("a", "b")
    assert found.value == pytest.approx(2)
    assert found.standard_error == pytest.approx(1 / 3**0.5)
    assert found.p_value == pytest.approx(0.0742, abs=1e-4)
    assert found.interval == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert fit.levels == pytest.approx({"a": 22, "b": 20})


def test_an_arm_with_one_draw_is_compared_within_it() -> None:
    """c ran in draw 2 alone, where all values are 10 higher: its level is not that of a bad draw."""
    fit = fit_blocks(["a", "b", "a", "b", "c"], [1, 1, 2, 2, 2], [1, 3, 11, 13, 12])
    assert fit.levels == pytest.approx({"a": 6, "b": 8, "c": 7})
    assert fit.difference("c", "a").value == pytest.approx(1)


def test_without_a_spare_run_there_is_a_difference_but_no_interval() -> None:
    fit = fit_blocks(["a", "b"], [1, 1], [1.0, 2.0])
    assert fit.spread is None
    assert fit.difference("a", "b") == fit.simultaneous([("a", "b")])[0]
    assert fit.difference("a", "b").interval is None
    assert fit.difference("a", "b").p_value is None


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=6), st.lists(st.floats(-100, 100), min_size=2, max_size=2))
def test_what_all_arms_of_a_draw_share_changes_no_difference(values: list[float], shared: list[float]) -> None:
    moved = [value + shared[draw - 1] for value, draw in zip(values, DRAWS, strict=True)]
    before, after = fit_blocks(ARMS, DRAWS, values), fit_blocks(ARMS, DRAWS, moved)
    assert after.difference("a", "c").value == pytest.approx(before.difference("a", "c").value, abs=1e-9)
    assert after.spread == pytest.approx(before.spread, abs=1e-9)


@given(st.permutations(range(6)), st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_the_order_of_runs_is_irrelevant(order: list[int], values: list[float]) -> None:
    one = fit_blocks(ARMS, DRAWS, values)
    other = fit_blocks([ARMS[index] for index in order], [DRAWS[index] for index in order], [values[index] for index in order])
    assert other.levels == pytest.approx(one.levels, abs=1e-9)
    assert other.spread == pytest.approx(one.spread, abs=1e-9)


def test_arms_without_a_common_draw_are_refused() -> None:
    with pytest.raises(ValueError, match="share no draw"):
        block_design(["a", "b"], [1, 2])
    with pytest.raises(ValueError, match="at least one"):
        block_design([], [])


def test_intervals_hold_as_often_as_they_say() -> None:
    """1,000 experiments of four arms without any difference, the draws far apart: single intervals 95%, all three at once 95%."""
    draws = np.random.default_rng(1)
    arms, blocks = list("rabc") * 4, [block for block in range(4) for _ in range(4)]
    pairs = [("a", "r"), ("b", "r"), ("c", "r")]
    (first, *_) = fit_blocks(arms, blocks, draws.normal(size=16)).simultaneous(pairs)
    assert first.interval is not None
    assert first.standard_error is not None
    width = (first.interval[1] - first.value) / first.standard_error
    single, together = 0, 0
    for _ in range(1000):
        fit = fit_blocks(arms, blocks, draws.normal(size=16) + 10 * draws.normal(size=4)[blocks])
        found = [fit.difference(*pair) for pair in pairs]
        interval = found[0].interval
        assert interval is not None
        single += interval[0] <= 0 <= interval[1]
        together += all(abs(one.value) <= width * (one.standard_error or 0) for one in found)
    assert single / 1000 == pytest.approx(0.95, abs=0.02)
    assert together / 1000 == pytest.approx(0.95, abs=0.02)

"""Paired comparisons, hand-computed and by properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.statistics.intervals import bootstrap_ratio_interval
from snowcoder.statistics.paired import (
    SeedSpread,
    compare_paired,
    compare_ratios,
    mcnemar_p_value,
    over_seeds,
    two_proportions_p_value,
)


@pytest.mark.parametrize(
    ("only_first", "only_second", "expected"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (0, 6, 2 / 64), (3, 3, 1.0), (1, 9, 2 * 11 / 1024)],
)
def test_hand_computed_points(only_first: int, only_second: int, expected: float) -> None:
    assert mcnemar_p_value(only_first, only_second) == pytest.approx(expected)


@given(st.integers(0, 60), st.integers(0, 60))
def test_is_a_probability_and_does_not_mind_the_order(first: int, second: int) -> None:
    value = mcnemar_p_value(first, second)
    assert 0 < value <= 1
    assert value == mcnemar_p_value(second, first)


def test_comparison_of_solved_problems() -> None:
    # 30 solved by the first alone, 10 by the second alone, of 200
    first = [1.0] * 30 + [0.0] * 10 + [1.0] * 60 + [0.0] * 100
    second = [0.0] * 30 + [1.0] * 10 + [1.0] * 60 + [0.0] * 100
    found = compare_paired(first, second, seed=1)
    assert (found.difference, found.only_first, found.only_second) == (pytest.approx(0.1), 30, 10)
    assert found.p_value == pytest.approx(mcnemar_p_value(30, 10))
    # sd of a difference: sqrt(0.2 - 0.01); 1.96 sd / sqrt(200) = 0.0604
    assert found.interval == (pytest.approx(0.04, abs=0.01), pytest.approx(0.16, abs=0.01))
    assert not found.is_explained


def test_a_model_against_itself_does_not_differ() -> None:
    found = compare_paired([1, 0, 1], [1, 0, 1], seed=1)
    assert (found.difference, found.interval, found.p_value, found.is_explained) == (0.0, (0.0, 0.0), 1.0, True)


def test_shares_of_samples_are_compared_by_the_bootstrap() -> None:
    found = compare_paired([0.3] * 50 + [0.5] * 50, [0.1] * 50 + [0.4] * 50, seed=1)
    assert found.difference == pytest.approx(0.15)
    assert found.p_value == pytest.approx(2 / 2001)
    assert not found.is_explained


@pytest.mark.parametrize(("first", "second"), [([], []), ([1.0], [1.0, 0.0])])
def test_other_problems_are_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="compare_paired"):
        compare_paired(first, second, seed=1)


def test_seeds_are_the_unit() -> None:
    # t of 2 degrees of freedom at 97.5%: 4.3027; sd 1, three seeds
    found = over_seeds([1.0, 2.0, 3.0])
    half = 4.3027 / 3**0.5
    assert found.interval is not None
    assert (found.mean, found.spread) == (2.0, pytest.approx(1.0))
    assert found.interval == (pytest.approx(2 - half, abs=1e-3), pytest.approx(2 + half, abs=1e-3))
    assert over_seeds([2.0]) == SeedSpread(2.0, None, None)
    with pytest.raises(ValueError, match="no seed"):
        over_seeds([])


def test_two_proportions_at_a_hand_computed_point() -> None:
    # 20 and 10 of 100: pooled 0.15, z = 0.1 / sqrt(0.15 * 0.85 * 0.02) = 1.9803
    assert two_proportions_p_value(20, 10, 100, 100) == pytest.approx(0.0477, abs=1e-4)
    assert two_proportions_p_value(0, 0, 10, 10) == 1.0


def test_ratios_of_two_models_are_compared_text_by_text() -> None:
    # texts differ tenfold in bits, the models by 1% on each: side by side their intervals overlap, paired nothing is left
    n_bytes = np.full(200, 100)
    first = np.linspace(50, 500, 200)
    own = [str(item) for item in range(200)]
    difference, interval = compare_ratios(first, 1.01 * first, n_bytes, own, seed=3)
    assert interval is not None
    low, high = interval
    assert difference == pytest.approx(-0.01 * first.sum() / n_bytes.sum())
    assert low < difference < high < 0
    alone = [bootstrap_ratio_interval(bits, n_bytes, 3) for bits in (first, 1.01 * first)]
    assert alone[0][1] > alone[1][0]
    assert compare_ratios(first, first, n_bytes, own, seed=3) == (0.0, (0.0, 0.0))
    assert compare_ratios(first, first, n_bytes, ["one"] * 200, seed=3) == (0.0, None)
    with pytest.raises(ValueError, match="the same items"):
        compare_ratios(first, first[1:], n_bytes, own, seed=3)

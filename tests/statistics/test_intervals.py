import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.statistics.intervals import bootstrap_ratio_interval, wilson_interval


def test_wilson_at_hand_computed_points() -> None:
    # z = 1.959964, z^2 = 3.841459; 0 of 164: high = z^2 / (n + z^2) = 3.841459 / 167.841459
    assert wilson_interval(0, 164) == pytest.approx((0.0, 3.841459 / 167.841459), abs=1e-6)
    # 1 of 2: centre 0.5, half = z / (1 + z^2/2) * sqrt(1/8 + z^2/16)
    half = 1.959964 / (1 + 3.841459 / 2) * math.sqrt(1 / 8 + 3.841459 / 16)
    assert wilson_interval(1, 2) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)


def test_wilson_of_the_papers_final_score() -> None:
    # 46 of 164 is 28.0%: the interval is some 7 points to either side
    low, high = wilson_interval(46, 164)
    assert (round(low, 3), round(high, 3)) == (0.217, 0.354)


@given(st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_holds_the_rate_and_mirrors(case: tuple[int, int]) -> None:
    successes, total = case
    low, high = wilson_interval(successes, total)
    assert 0 <= low <= successes / total <= high <= 1
    mirrored = wilson_interval(total - successes, total)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


@pytest.mark.parametrize(("successes", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_impossible_counts(successes: int, total: int) -> None:
    with pytest.raises(ValueError, match="wilson_interval"):
        wilson_interval(successes, total)


def test_bootstrap_of_a_constant_ratio_has_no_width() -> None:
    assert bootstrap_ratio_interval([2.0, 4.0, 6.0], [1, 2, 3], seed=1) == (2.0, 2.0)


def test_bootstrap_agrees_with_the_normal_interval_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(3.0, 1.0, 400)
    low, high = bootstrap_ratio_interval(values, np.ones(400), seed=7, resamples=4000)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.01)
    assert high == pytest.approx(values.mean() + half, abs=0.01)


def test_bootstrap_depends_on_the_seed_alone() -> None:
    values, weights = np.arange(1.0, 50.0), np.arange(2.0, 51.0)
    first = bootstrap_ratio_interval(values, weights, seed=3)
    assert first == bootstrap_ratio_interval(values, weights, seed=3)
    assert first != bootstrap_ratio_interval(values, weights, seed=4)


def test_bootstrap_in_parts_covers_all_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snowcoder.statistics.intervals.MAX_INDICES", 7)
    low, high = bootstrap_ratio_interval([1.0, 2.0, 3.0], [1, 1, 1], seed=1, resamples=501)
    assert 1.0 <= low < 2.0 < high <= 3.0


@pytest.mark.parametrize("denominators", [[], [1.0, 0.0]])
def test_bootstrap_refuses_empty_and_zero(denominators: list[float]) -> None:
    with pytest.raises(ValueError, match="bootstrap_ratio_interval"):
        bootstrap_ratio_interval([1.0] * len(denominators), denominators, seed=1)

"""Holm's correction against hand-computed values and its properties; Dunnett's quantile against published tables and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.statistics.block_model import fit_blocks
from snowcoder.statistics.multiple import dunnett_quantile, holm

FAMILIES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_by_hand() -> None:
    """Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, and 0.04, which may not fall below 0.06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_test_that_was_not_made_still_counts_in_the_family() -> None:
    assert holm([0.02, 1.0, 1.0]) == pytest.approx([0.06, 1.0, 1.0])


@given(FAMILIES)
def test_adjusted_values_lie_between_the_raw_ones_and_bonferronis(p_values: list[float]) -> None:
    for raw, adjusted in zip(p_values, holm(p_values), strict=True):
        assert raw <= adjusted <= min(1.0, raw * len(p_values))


@given(FAMILIES, st.randoms())
def test_the_order_of_the_family_is_irrelevant_and_that_of_the_values_is_kept(p_values: list[float], random: object) -> None:
    order = sorted(range(len(p_values)), key=lambda _: random.random())  # type: ignore[attr-defined]
    adjusted = holm(p_values)
    assert holm([p_values[index] for index in order]) == [adjusted[index] for index in order]
    by_raw = [one for _, one in sorted(zip(p_values, adjusted, strict=True))]
    assert by_raw == sorted(by_raw)


@pytest.mark.parametrize("p_value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(p_value: float) -> None:
    with pytest.raises(ValueError, match="allowed: 0 to 1"):
        holm([0.5, p_value])


@pytest.mark.parametrize(("n_arms", "df", "published"), [(1, 10, 2.23), (3, 20, 2.54), (5, 10, 2.99), (9, 20, 2.95)])
def test_dunnetts_table(n_arms: int, df: int, published: float) -> None:
    """Two-sided 5% points for equal numbers of runs (Dunnett 1964, table II)."""
    assert dunnett_quantile(np.eye(n_arms) + 1, df) == pytest.approx(published, abs=0.015)


def test_without_blocks_the_intervals_are_those_of_scipy() -> None:
    from scipy.stats import dunnett

    draws = np.random.default_rng(3)
    groups = [draws.normal(size=5) for _ in range(4)]
    expected = dunnett(*groups[1:], control=groups[0], rng=1).confidence_interval(0.95)
    fit = fit_blocks([str(arm) for arm in range(4) for _ in range(5)], [1] * 20, np.concatenate(groups))
    for number, found in enumerate(fit.simultaneous([(str(arm), "0") for arm in (1, 2, 3)])):
        assert found.interval == pytest.approx((expected.low[number], expected.high[number]), abs=0.01)


def test_no_degree_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        dunnett_quantile([[1.0]], 0)

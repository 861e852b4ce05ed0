import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.statistics.paired import mcnemar_p_value


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

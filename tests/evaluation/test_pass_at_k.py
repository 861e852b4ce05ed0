from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.evaluation.pass_at_k import mean_pass_at_k, pass_at_k


@st.composite
def _counts(draw: st.DrawFn) -> tuple[int, int, int]:
    n_samples = draw(st.integers(1, 9))
    return n_samples, draw(st.integers(0, n_samples)), draw(st.integers(1, n_samples))


@given(_counts())
def test_equals_the_share_of_subsets_with_a_pass(case: tuple[int, int, int]) -> None:
    n_samples, n_passed, k = case
    samples = [index < n_passed for index in range(n_samples)]
    subsets = list(combinations(samples, k))
    assert pass_at_k(n_samples, n_passed, k) == pytest.approx(sum(any(subset) for subset in subsets) / len(subsets))


def test_hand_computed_points() -> None:
    assert pass_at_k(1, 0, 1) == 0.0
    assert pass_at_k(1, 1, 1) == 1.0
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)
    assert pass_at_k(5, 2, 2) == pytest.approx(1 - 3 / 10)  # C(3,2) = 3 of C(5,2) = 10 pairs have no pass


def test_mean_is_over_problems_not_samples() -> None:
    assert mean_pass_at_k([(10, 0), (1, 1)], k=1) == 0.5


@pytest.mark.parametrize(("n_samples", "n_passed", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0)])
def test_refuses_impossible_counts(n_samples: int, n_passed: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass_at_k"):
        pass_at_k(n_samples, n_passed, k)


def test_no_problems_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no problems"):
        mean_pass_at_k([], k=1)

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.evaluation.pass_at_k import mean_pass_at_k, pass_at_k, summarise_passes
from snowcoder.statistics.intervals import wilson_interval


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


def test_summary_of_one_sample_a_problem_has_wilsons_interval() -> None:
    summary = summarise_passes([(str(n), n < 46) for n in range(164)])
    assert (summary["passed"], summary["total"], summary["problems"]) == (46, 164, 164)
    assert summary["pass@1"] == pytest.approx(46 / 164)
    assert summary["ci95"] == wilson_interval(46, 164)
    assert "pass@10" not in summary


def test_summary_of_many_samples_has_pass_at_k_and_an_interval_over_problems() -> None:
    # half of the problems are solved by one sample of ten: pass@1 is 5%, pass@10 is 50%
    samples = [(str(problem), problem % 2 == 0 and sample == 0) for problem in range(40) for sample in range(10)]
    summary = summarise_passes(samples)
    assert (summary["pass@1"], summary["pass@10"]) == (pytest.approx(0.05), pytest.approx(0.5))
    low, high = summary["ci95"]
    # sd of a problem's share is 0.05: the mean of 40 is known to 0.05 / sqrt(40) * 1.96
    assert (low, high) == (pytest.approx(0.05 - 0.0155, abs=0.004), pytest.approx(0.05 + 0.0155, abs=0.004))


def test_summary_where_nothing_is_solved_still_has_a_width() -> None:
    assert summarise_passes([(str(problem), False) for problem in range(40) for _ in range(10)])["ci95"] == wilson_interval(0, 40)

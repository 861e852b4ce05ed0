from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ParameterError
from snowcoder.evaluation.grading.pass_at_k import check_k, mean_pass_at_k, pass_at_k, summarise_passes
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


@given(st.lists(_counts(), min_size=1, max_size=4), st.integers(0, 2), st.integers(1, 9))
def test_the_mean_is_that_of_the_subsets_of_each_problem_and_0_of_missing_ones(
    cases: list[tuple[int, int, int]], n_missing: int, k: int
) -> None:
    samples = [(str(problem), index < passed) for problem, (total, passed, _) in enumerate(cases) for index in range(total)]
    summary = summarise_passes(samples, [k], [f"missing {n}" for n in range(n_missing)])
    assert summary["problems"] == len(cases) + n_missing
    if k > min(total for total, _, _ in cases):
        assert f"pass@{k}" not in summary
        assert f"needs {k} samples of each problem" in summary["not_estimated"][f"pass@{k}"]
        return
    shares = []
    for total, passed, _ in cases:
        subsets = list(combinations(range(total), k))
        shares.append(sum(min(subset) < passed for subset in subsets) / len(subsets))
    assert summary[f"pass@{k}"] == pytest.approx(sum(shares) / (len(cases) + n_missing))
    assert "not_estimated" not in summary


def test_a_problem_without_samples_counts_as_failed_and_hides_nothing() -> None:
    samples = [(str(problem), sample == 0) for problem in range(4) for sample in range(10)]
    summary = summarise_passes(samples, missing=["4"])
    assert (summary["problems"], summary["total"], summary["passed"]) == (5, 40, 4)
    assert (summary["pass@1"], summary["pass@10"]) == (pytest.approx(4 * 0.1 / 5), pytest.approx(4 / 5))
    assert summary["ci95"][0] < 0.08 < summary["ci95"][1]


def test_a_k_that_some_problem_has_too_few_samples_for_is_named_with_the_reason() -> None:
    samples = [("a", True)] * 10 + [("b", True)] * 5 + [("c", False)] * 3
    summary = summarise_passes(samples)
    assert {name for name in summary if name.startswith("pass@")} == {"pass@1"}
    assert summary["not_estimated"] == {
        "pass@10": "needs 10 samples of each problem; 2 of 3 problems with samples have fewer, such as c with 3",
    }
    chosen = summarise_passes(samples, [3, 5])
    assert chosen["pass@3"] == pytest.approx(2 / 3)
    assert list(chosen["not_estimated"]) == ["pass@5"]
    # greedy decoding: a single sample says nothing of 10, and nobody has asked
    assert "not_estimated" not in summarise_passes([("a", True)])


def test_any_k_can_be_asked_for() -> None:
    summary = summarise_passes([("a", index < 2) for index in range(5)], [5, 2])
    assert {name: summary[name] for name in summary if name.startswith("pass@")} == {
        "pass@1": pytest.approx(0.4),
        "pass@2": pytest.approx(0.7),
        "pass@5": 1.0,
    }


@pytest.mark.parametrize(
    ("ks", "message"),
    [
        ([10], r"--k: found 10; allowed: up to 1, .* at least k samples of each problem"),
        ([10, 100], r"--k: found 10, 100; allowed: up to 1"),
        ([0, 1], r"--k: found 0; allowed: whole numbers from 1"),
    ],
)
def test_what_no_problem_has_samples_for_is_refused(ks: list[int], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        check_k(ks, {"a": 1, "b": 1})
    check_k([1, 10], {"a": 1})

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.benchmarks.problem import Problem, read_problems, sort_problems, write_problems
from snowcoder.errors import SourceError


def problem(problem_id: str, benchmark: str = "humaneval") -> Problem:
    return Problem(benchmark, problem_id, "def f(x):\n", "    return x\n", "def check(f):\n    assert f(1) == 1\n", "f")


def test_numbers_within_an_identity_compare_as_numbers():
    mixed = [problem("HumanEval/10"), problem("Mbpp/2", "mbpp_plus"), problem("HumanEval/2"), problem("HumanEval/0")]
    assert [one.problem_id for one in sort_problems(mixed)] == ["HumanEval/0", "HumanEval/2", "HumanEval/10", "Mbpp/2"]


@given(st.lists(st.text(max_size=8), unique=True))
def test_any_identities_can_be_sorted_and_order_does_not_matter(identities: list[str]):
    problems = [problem(identity) for identity in identities]
    ordered = sort_problems(problems)
    assert sorted(one.problem_id for one in ordered) == sorted(identities)
    assert [one.problem_id for one in sort_problems(ordered)] == [one.problem_id for one in ordered]


def test_the_table_gives_back_what_was_written(tmp_path):
    problems = [problem("HumanEval/10"), problem("HumanEval/9")]
    write_problems(tmp_path, problems)
    assert read_problems(tmp_path) == [problems[1], problems[0]]


def test_an_identity_that_occurs_twice_is_refused(tmp_path):
    with pytest.raises(SourceError, match="HumanEval/1 of humaneval occurs twice"):
        write_problems(tmp_path, [problem("HumanEval/1"), problem("HumanEval/1")])

"""snowcoder.decontamination.screen: short code that many people write, and when it counts as found."""

import re
import textwrap

import pytest

from snowcoder.decontamination.screen import BenchmarkScreen
from tests.decontamination.problems import PARAMS, human_eval, ids, plant, problem_of, screen

IS_PRIME = """def is_prime(n):
    if n < 2:
        return False
    for k in range(2, n):
        if n % k == 0:
            return False
    return True
"""
GCD = "def greatest_common_divisor(a, b):\n    while b:\n        a, b = b, a % b\n    return a\n"
FIB = "def fib(n):\n    if n == 0:\n        return 0\n    if n == 1:\n        return 1\n    return fib(n - 1) + fib(n - 2)\n"
PALINDROME = "def same(x):\n    for i in range(len(x)):\n        if x[i] != x[len(x) - 1 - i]:\n            return False\n    return True\n"
LARGEST = "def top(xs):\n    best = xs[0]\n    for x in xs:\n        if x > best:\n            best = x\n    return best\n"


@pytest.mark.parametrize(
    ("content", "problem_id", "method"),
    [
        (IS_PRIME, "HumanEval/75", "syntax_tree"),
        (GCD, "HumanEval/13", "named_function"),
        (FIB, "HumanEval/55", "solution"),
        (PALINDROME, "HumanEval/48", "syntax_tree"),
        (LARGEST, "HumanEval/35", "syntax_tree"),
        ("print 'of Python 2'\n" + re.sub(r"\bn\b", "k", FIB), "HumanEval/55", "renamed"),
    ],
)
def test_what_many_people_write_is_a_generic_match_which_a_parameter_drops_or_keeps(content: str, problem_id: str, method: str) -> None:
    found = screen().overlaps(plant(content))
    assert [(overlap.problem_id, overlap.reason, overlap.method) for overlap in found] == [(problem_id, "generic_match", method)]
    keeping = BenchmarkScreen(human_eval(), PARAMS.model_copy(update={"generic_matches": "keep"}))
    assert (screen().drop_reason(found), keeping.drop_reason(found), keeping.drop_reason([])) == ("generic_match", None, None)
    # the statement, or one solution of some length, is no generic match, and what is found with it does not save the file
    for text in (human_eval()[3].prompt, human_eval()[1].canonical_solution):
        assert keeping.drop_reason(keeping.overlaps(f"{plant(content)}\n{text}")) == "benchmark_overlap"


def test_the_length_of_a_generic_match_is_that_of_what_was_found() -> None:
    problem = problem_of("def f(values):\n" + "\n".join(f"    values = g{n}(values, {n})" for n in range(8)) + "\n    return values\n")
    whole, half = problem.canonical_solution, "\n".join(problem.canonical_solution.splitlines()[:6])
    for least, reasons in ((1, ["benchmark_overlap"] * 2), (40, ["benchmark_overlap", "generic_match"]), (100, ["generic_match"] * 2)):
        one = BenchmarkScreen([problem], PARAMS.model_copy(update={"min_specific_tokens": least}))
        assert [one.overlaps(text)[0].reason for text in (whole, half)] == reasons


def test_short_functions_of_the_same_name_are_found_with_other_variables_and_type_hints() -> None:
    other = "def greatest_common_divisor(one: int, two: int) -> int:\n    while two:\n        one, two = two, one % two\n    return one\n"
    assert ids(plant(other)) == ids(plant(f"class Numbers:\n{textwrap.indent(other, '    ')}")) == {"HumanEval/13"}
    assert ids(plant(other.replace("greatest_common_divisor", "gcd"))) == set()
    assert ids(plant(other.replace("one % two", "two % one"))) == set()


def test_a_recursive_solution_is_found_as_a_method() -> None:
    body = textwrap.indent(re.sub(r"\bn\b", "k", FIB).replace("fib", "self.count"), "    ")
    code = "class Numbers:\n" + body.replace("def self.count(k)", "def count(self, k)")
    assert ids(plant(code)) == {"HumanEval/55"}
    assert ids(plant(code.replace("def count", "def other"))) == set()  # `self.count` is somebody else's

import ast
import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.exercises.doctests import make_tests, quote, show_examples


def examples(text: str) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(text)


def code(text: str) -> str:
    return make_tests(examples(text)).code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">>> f(2)\n4\n", "assert f(2) == 4\n"),
        (">>> f(2) + 1\n5\n", "assert (f(2) + 1) == 5\n"),
        (">>> f(2)\nTrue\n", "assert f(2) is True\n"),
        (">>> f('a')\n'b'\n", "assert f('a') == 'b'\n"),
        (">>> f({2, 1})\n{2, 1}\n", "assert f({2, 1}) == {2, 1}\n"),
        (">>> f(2)\nFraction(1, 2)\n", "assert repr(f(2)) == 'Fraction(1, 2)'\n"),
        (">>> print(f(2))\nfour\n", "assert str(f(2)) == 'four'\n"),
        (">>> print(f(2))\na\nb\n", "assert str(f(2)) == 'a\\nb'\n"),
        (">>> x = 1\n>>> f(x)\n4\n", "x = 1\nassert f(x) == 4\n"),
        (">>> f(\n...     2,\n... )\n4\n", "assert f(2) == 4\n"),
        (">>> f(2)  # a comment\n4\n", "assert f(2) == 4\n"),
        (">>> f(2)  # doctest: +SKIP\n4\n>>> f(3)\n9\n", "assert f(3) == 9\n"),
        (">>> f(2)  # doctest: +NORMALIZE_WHITESPACE\n[1,\n  2]\n", "assert f(2) == [1, 2]\n"),
    ],
)
def test_examples_become_asserts(text: str, expected: str):
    assert code(text) == expected


def test_an_expected_error_becomes_try_and_except():
    assert code(">>> f(-1)\nTraceback (most recent call last):\n    ...\nValueError: negative\n") == (
        "try:\n    f(-1)\nexcept ValueError as error:\n    assert str(error) == 'negative'\n"
        'else:\n    raise AssertionError("ValueError expected")\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        ">>> f(2)  # doctest: +ELLIPSIS\n<object at ...>\n",
        ">>> print('a', f(2))\na 4\n",
        ">>> for x in f(2):\n...     print(x)\n1\n2\n",
        ">>> print(f(2))\na\n<BLANKLINE>\nb\n",
        ">>> f(2)\nTraceback (most recent call last):\n    ...\npackage.Error: text\n",
    ],
)
def test_what_no_assert_says_stays_a_doctest(text: str):
    assert "doctest.DocTestRunner" in code(text)
    ast.parse(code(text))


@pytest.mark.parametrize(
    ("text", "n_tests"), [(">>> x = 1\n>>> f(x)\n4\n>>> f(3)\n9\n", 2), (">>> x = 1\n", 0), (">>> f(2) # doctest: +SKIP\n4\n", 0)]
)
def test_only_checks_are_counted(text: str, n_tests: int):
    assert make_tests(examples(text)).n_tests == n_tests


def test_shown_examples_are_read_back_as_they_were():
    text = ">>> f(\n...     2,\n... )\n4\n>>> f(-1)\nTraceback (most recent call last):\n    ...\nValueError: negative\n"
    again = examples(show_examples(examples(text)))
    assert [(one.source, one.want, one.exc_msg) for one in again] == [(one.source, one.want, one.exc_msg) for one in examples(text)]


@given(st.text(max_size=60))
def test_a_quoted_text_is_the_text(text: str):
    assert ast.literal_eval(quote(text)) == text


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=6)
)
def test_an_example_with_a_literal_checks_exactly_that_value(value: object):
    if value is None:
        return
    program = f"def f():\n    return {value!r}\n" + make_tests([doctest.Example("f()\n", repr(value) + "\n")]).code
    exec(program, {})
    with pytest.raises(AssertionError):
        exec(program.replace(f"return {value!r}", "return object()", 1), {})

import ast
import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.exercises.functions import extract_functions, parse_examples

FILE = '''"""Module."""

import os, re
from math import sqrt as root
import sys

LIMIT = 3


@cache
def norm(
    values: "list[float]",
):
    """Length of a vector.

    >>> norm([3, 4])
    5.0
    """
    # squares
    return root(sum(value**2 for value in values)) if len(values) < LIMIT else helper(re.escape(""))


def undocumented(x):
    return x


def placeholder():
    """To be overridden."""
    raise NotImplementedError


def only_docstring():
    """Nothing else."""


def one_line(): "Doc."; return 1


class C:
    def method(self):
        """Documented."""
        return 1


async def wait():
    """Wait."""
    return 1
'''


def test_top_level_documented_functions_with_a_body_are_found():
    assert [function.name for function in extract_functions(FILE)] == ["norm", "wait"]
    assert [function.name for function in extract_functions(FILE, only_with_examples=True)] == ["norm"]


def test_the_parts_of_a_function():
    norm = extract_functions(FILE)[0]
    assert norm.docstring == "Length of a vector.\n\n>>> norm([3, 4])\n5.0"
    assert norm.signature == '@cache\ndef norm(\n    values: "list[float]",\n):\n'
    assert norm.body.startswith("    # squares\n    return root(")
    assert norm.imports == ("import re", "from math import sqrt as root")
    assert norm.dependencies == ("LIMIT", "cache", "helper")
    assert norm.prompt == (
        'import re\nfrom math import sqrt as root\n\n\n@cache\ndef norm(\n    values: "list[float]",\n):\n    """Length of a vector.\n\n'
        '    >>> norm([3, 4])\n    5.0\n    """\n'
    )
    assert [(example.source, example.want) for example in norm.examples] == [("norm([3, 4])\n", "5.0\n")]


def test_prompt_and_body_are_the_whole_function():
    for function in extract_functions(FILE):
        assert (function.prompt + function.body).endswith(function.source)
        ast.parse(function.prompt + function.body)


def test_windows_line_ends_do_not_shift_the_lines():
    assert extract_functions(FILE.replace("\n", "\r\n")) == extract_functions(FILE)


def test_a_form_feed_is_not_a_line_end():
    content = '\x0cdef f():\n    """Doc \x0c of f."""\n    x = "\x0c"\n    return x\n'
    (function,) = extract_functions(content)
    assert function.body == '    x = "\x0c"\n    return x\n'


@pytest.mark.parametrize("content", ["def f(:", "\0", "", "print 'python 2'"])
def test_what_cannot_be_parsed_has_no_functions(content: str):
    assert extract_functions(content) == []


def test_malformed_examples_are_prose():
    assert parse_examples("text\n>>> f()\n  wrong indentation of\n>>>no blank\n") == [
        "text\n>>> f()\n  wrong indentation of\n>>>no blank\n"
    ]
    parts = parse_examples("text\n\n>>> f(1)\n2\n")
    assert isinstance(parts[1], doctest.Example)


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@given(st.text(alphabet="ab \n\"'\\\t>.:#(){}é", max_size=80))
def test_any_text_is_taken_without_an_error(text: str):
    for function in extract_functions(f'def f(x):\n    """{text}"""\n    return x\n'):
        ast.parse(function.prompt + function.body)

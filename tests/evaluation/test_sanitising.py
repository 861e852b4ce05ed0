import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.evaluation.sanitising import longest_program, sanitise

SOLUTION = "def f(x):\n    return g(x)"
HELPER = "def g(x):\n    return x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SOLUTION}\n\n{HELPER}\n\ndef unused(x):\n    return x\n", f"{SOLUTION}\n{HELPER}"),
        (f"Here is the code:\n```python\nimport math\n{SOLUTION}\n{HELPER}\n```\nIt works so well.", f"import math\n{SOLUTION}\n{HELPER}"),
        (f"{SOLUTION}\n{HELPER}\nprint(f(1))\nif True:\n    f(2)\n", f"{SOLUTION}\n{HELPER}"),
        ("limit = 3\nother = 4\ndef f(x):\n    return x + limit\n", "limit = 3\ndef f(x):\n    return x + limit"),
        ("def f(x):\n    return 1\ndef f(x):\n    return 2\n", "def f(x):\n    return 1"),
        ("def f(x):\n    return 1\ndef f(x:\n    return 2\n", "def f(x):\n    return 1"),  # what does not parse is cut off
        ("class A:\n    y = 1\n\ndef f(x):\n    return A.y\n", "class A:\n    y = 1\ndef f(x):\n    return A.y"),
        ("def f(x):\n    '''é'''\n    return 'ü'; y = 1\n", "def f(x):\n    '''é'''\n    return 'ü'; y = 1"),
    ],
)
def test_what_is_kept(text: str, expected: str) -> None:
    assert sanitise(text, "f") == expected


def test_a_function_that_returns_nothing_is_not_taken_out() -> None:
    # as EvalPlus has it: then the whole run of lines that parses is left
    assert sanitise("def f(x):\n    print(x)\n", "f") == "def f(x):\n    print(x)"


def test_without_a_line_that_parses_the_first_is_left() -> None:
    assert sanitise("(((\n)))((\n", "f") == "((("


@pytest.mark.parametrize("text", ["", "\n", "\0\n\0", "\ud800\n\ud800", "x" * 10_000_000, "(" * 5000 + "\n" + "(" * 5000])
def test_anything_can_be_asked(text: str) -> None:
    assert isinstance(sanitise(text, "f"), str)


@given(st.text(alphabet="def f(x):\n return1=", max_size=80))
def test_what_is_found_parses_or_is_one_line(text: str) -> None:
    found = longest_program(text.split("\n"))
    if "\n" in found:
        ast.parse(found)
    else:
        assert found in text


FRAGMENTS = ["", "  ", "# c", "    # c", "x = 1", "    y = 2", "def f(x):", "    return x", "if x:", "(", ")", "'''", "prose, like this"]


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=9))
def test_the_longest_run_is_that_of_trying_all(lines: list[str]) -> None:
    best, found = 0, lines[0]
    for first in range(len(lines)):
        for last in range(first + 1, len(lines)):
            text = "\n".join(lines[first : last + 1])
            filled = sum(1 for line in lines[first : last + 1] if line.strip())
            if filled > best and parses(text):
                best, found = filled, text
    assert longest_program(lines) == found


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True

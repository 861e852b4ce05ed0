import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.exercises.arguments import candidate_arguments, values_of


def values(source: str, index: int = 0) -> tuple[str, ...]:
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    argument = function.args.args[index]
    first_default = len(function.args.args) - len(function.args.defaults)
    return values_of(argument, function.args.defaults[index - first_default] if index >= first_default else None, function)


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("def f(q: int): pass", "3"),
        ("def f(q: 'list[str]'): pass", '["pear", "apple", "fig"]'),
        ("def f(q: str | None): pass", '"hello world"'),
        ("def f(q: Literal['up', 'down']): pass", "'up'"),
        ("def f(q=2.5): pass", "2.5"),
        ('def f(q):\n    """Doc.\n\n    :param bytes q: raw\n    """', 'b"hello"'),
        ('def f(q):\n    """Doc.\n\n    Args:\n        q (dict): a map\n    """', '{"a": 1, "b": 2}'),
        ("def f(q):\n    return q.split()", '"hello world"'),
        ("def f(q):\n    return q(1)", "lambda x: x + 1"),
        ("def f(q):\n    return q - 1", "3"),
        ("def f(base_url): pass", '"http://example.com/a/b.html?x=1&y=2#top"'),
        ("def f(is_open): pass", "True"),
    ],
)
def test_the_first_value_fits_what_is_known_of_a_parameter(source: str, first: str):
    assert values(source)[0] == first


def test_strings_that_the_body_looks_for_are_among_the_values():
    found = values("def f(text):\n    if text == 'left' or text.startswith('__'):\n        return 1\n    return text.split(';')\n")
    assert {"'left'", "'__example'", "'one;two;three'"} <= set(found)


def test_calls_in_the_file_and_in_examples_come_first():
    function = "def f(a, b=1):\n    return a\n"
    tree = ast.parse(function + "\n\ndef g():\n    return f([9], b=8), f(unknown), m.f('module')\n")
    found = candidate_arguments(function, ["f({7})"], tree, 40)
    assert found[:3] == ["{7}", "[9], b=8", "'module'"]
    assert len(found) == len(set(found)) == 40


@given(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.integers(0, 2), st.sampled_from(["x", "text", "items", "func", "url", "n"]))
def test_every_argument_list_fits_the_signature(required: int, optional: int, starred: bool, keywords: int, name: str):
    parts = [f"{name}{number}" for number in range(required)] + [f"o{number}=None" for number in range(optional)]
    parts += ["*rest"] * starred or ["*"] * bool(keywords)
    parts += [f"k{number}" for number in range(keywords)]
    source = f"def f({', '.join(parts)}):\n    return 1\n"
    namespace: dict = {}
    exec(source, namespace)
    for arguments in candidate_arguments(source, [], ast.parse(source), 60):
        eval(f"f({arguments})", namespace)

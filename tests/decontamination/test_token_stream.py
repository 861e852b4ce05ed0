"""snowcoder.decontamination.token_stream, .python_tree and .lexing: equal exactly up to renaming."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.decontamination.lexing import lex
from snowcoder.decontamination.python_tree import read_python
from snowcoder.decontamination.token_stream import TokenStream, make_stream

TOKENS = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), min_size=1, max_size=30)


def stream(tokens: list[tuple[str, bool]]) -> TokenStream:
    return make_stream([token for token, _ in tokens], [is_name for _, is_name in tokens])


def shape(tokens: list[tuple[str, bool]]) -> list[object]:
    """A window told in the plainest way: literals as they are, names by the order of their first appearance."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(token, len(numbers)) if is_name else token for token, is_name in tokens]


@given(TOKENS, TOKENS)
def test_windows_are_equal_exactly_up_to_renaming(left: list[tuple[str, bool]], right: list[tuple[str, bool]]) -> None:
    for n in (1, 2, 5):
        lefts, rights = stream(left).ngrams(n).tolist(), stream(right).ngrams(n).tolist()
        assert len(lefts) == max(0, len(left) - n + 1)
        for at, one in enumerate(lefts):
            for other, two in enumerate(rights):
                alike = shape(left[at : at + n]) == shape(right[other : other + n])
                assert (one == two) is alike
                assert np.array_equal(stream(left).window(at, n), stream(right).window(other, n)) is alike


def tree_tokens(content: str) -> list[int]:
    tree = read_python(content)
    assert tree is not None
    return tree.stream.window(0, len(tree.stream)).tolist()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x = a + b", "total = left + right"),
        ("x: int = a + b", "x = (a + b)  # note"),
        ('def f(x: int) -> str:\n    """Doc."""\n    return x', "import os\n\n\n@cache\ndef g(y):\n    pass\n    return y"),
        ("if a:\n    b()\nelse:\n    if c:\n        d()", "if a:\n    b()\nelif c:\n    d()"),
        ("x = 'a' 'b'", 'x = "ab"'),
        ("x = 1_000", "x = 1000"),
        ("def f(max):\n    return max + 1", "def f(largest):\n    return largest + 1"),
        ("def f(list):\n    def g():\n        return list\n    return g", "def f(a):\n    def g():\n        return a\n    return g"),
        ("try:\n    f()\nexcept OSError as e:\n    g(e)", "try:\n    f()\nexcept OSError as error:\n    g(error)"),
        ("match p:\n    case [a, *b]:\n        c(a, b)", "match q:\n    case [x, *y]:\n        z(x, y)"),
    ],
)
def test_trees_that_are_equal_up_to_renaming_and_layout(left: str, right: str) -> None:
    assert tree_tokens(left) == tree_tokens(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x = a + b", "x = a - b"),
        ("x = a + b", "x = a + a"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x.append(1)", "x.extend(1)"),
        ("f(key=1)", "f(reverse=1)"),
        ("max(a)", "min(a)"),
        ("max(a)", "largest(a)"),
        ("if a:\n    b()\n    c()", "if a:\n    b()\nelse:\n    c()"),
    ],
)
def test_trees_that_are_not(left: str, right: str) -> None:
    assert tree_tokens(left) != tree_tokens(right)


def test_text_that_is_no_python_has_no_tree() -> None:
    for content in ("def f(:", "\0", "(" * 10_000, "print 1"):
        assert read_python(content) is None


def test_spans_of_a_tree_are_characters_not_bytes() -> None:
    content = "é = 'ü'\nwert = é + 1\n"
    tree = read_python(content)
    assert tree is not None
    assert content[slice(*tree.span(0, len(tree.stream)))] == content.strip()


def lexed(content: str) -> list[int]:
    tokens = lex(content).stream
    return tokens.window(0, len(tokens)).tolist()


def test_lexed_text_is_equal_whatever_its_names_layout_and_comments() -> None:
    plain = "for i in range(n):\n    total += a[i] * 'x'"
    assert lexed(plain) == lexed('for  k in range( m ):  # note\n\t"""Doc."""\n\ts += (b[k]) * "x",')
    assert lexed(plain) != lexed(plain.replace("range", "sorted"))
    assert lexed(plain) != lexed(plain.replace("+=", "-="))
    assert lexed("a.append(b)") != lexed("a.extend(b)")


@given(st.text(max_size=80))
def test_any_text_can_be_lexed_and_its_spans_are_in_order(content: str) -> None:
    found = lex(content)
    assert len(found.spans) == len(found.stream)
    assert (np.diff(found.spans.ravel()) >= 0).all()

import ast

import pytest

from snowcoder.exercises.names import UNREADABLE, annotation_names, free_names, normalise_newlines, parse, top_level_bindings


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x):\n    y = x + 1\n    return helper(y)\n", {"helper"}),
        ("def f(x: T) -> U:\n    z: V = x\n    return z\n", set()),
        ("def f(x=DEFAULT, *, key=len):\n    return key(x)\n", {"DEFAULT", "len"}),
        ("@decorate\ndef f():\n    return f()\n", {"decorate"}),
        ("def f(xs):\n    return [g(x) for x in xs]\n", {"g"}),
        ("def f():\n    import os\n    return os.sep\n", set()),
        ("class C(Base):\n    x: int = LIMIT\n    def m(self):\n        return self.x + other\n", {"Base", "LIMIT", "other", "int"}),
        ("def f():\n    global counter\n    counter += 1\n", {"counter"}),
        ("def f():\n    def g():\n        return outer\n    outer = 1\n    return g\n", set()),
        ("x = [1]\nprint(x)\n", {"print"}),
        ("def f(:\n", {UNREADABLE}),
        ("def f(x, x):\n    return x\n", {UNREADABLE}),
        (f"def f(x):\n    return 0x{'1' * 9000}\n", {UNREADABLE}),
    ],
)
def test_free_names(source: str, expected: set[str]):
    assert free_names(source) == expected


def test_annotation_names_are_those_that_only_annotations_read():
    source = "def f(x: T, y: int) -> U:\n    return int(x)\n"
    assert annotation_names(source) == {"T", "U"}
    assert free_names(source) == {"int"}


def test_bindings_name_every_top_level_statement_that_binds():
    tree = parse(
        "import os.path\nfrom re import sub as s\nX, (Y, Z) = 1, (2, 3)\ntry:\n    import a\nexcept ImportError:\n    a = None\n"
        "if TYPE_CHECKING:\n    from b import hidden\nf.attribute = 1\ndef f(): pass\n@overload\ndef f(): pass\nclass C: pass\n"
    )
    assert isinstance(tree, ast.Module)
    bindings = top_level_bindings(tree)
    assert set(bindings) == {"os", "s", "X", "Y", "Z", "a", "f", "C"}
    assert len(bindings["f"]) == 1


def test_a_file_that_cannot_be_parsed_is_none():
    assert parse("def (") is None
    assert parse("\0") is None
    assert parse("(" * 10**4) is None


def test_newlines_of_all_systems_become_one():
    assert normalise_newlines("a\r\nb\rc\n") == "a\nb\nc\n"

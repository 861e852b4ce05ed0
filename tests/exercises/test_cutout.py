import pytest

from snowcoder.exercises.cutout import Cutout, Refusal, cut_out
from snowcoder.exercises.functions import extract_functions
from snowcoder.exercises.package import ModuleSource

HEAD = """import math, sys
from collections import deque
from . import sibling
import numpy as np
try:
    from functools import cache
except ImportError:
    cache = None

LIMIT = math.pi
_table = {}


def helper(x):
    return other(x) + LIMIT


def other(x):
    return deque([x])


class Pair:
    def __init__(self, left: "Left"):
        self.left = sys.maxsize

"""


def cut(function: str, head: str = HEAD, max_definitions: int = 8) -> Cutout | Refusal:
    content = head + function
    found = [one for one in extract_functions(content) if one.name == "f"]
    return cut_out(ModuleSource(content), found[0], "package", max_definitions)


def with_body(body: str, examples: str = ">>> f(1)\n    1", signature: str = "def f(x):") -> str:
    return f'{signature}\n    """Doc.\n\n    {examples}\n    """\n    {body}\n'


def test_a_function_that_needs_nothing():
    result = cut(with_body("return x"))
    assert isinstance(result, Cutout)
    assert result.imports == ()
    assert result.definitions == ()


def test_helpers_constants_and_imports_travel_transitively_in_the_order_of_the_file():
    result = cut(with_body("return helper(x)"))
    assert isinstance(result, Cutout)
    assert result.imports == ("import math", "from collections import deque")
    assert [definition.split("\n")[0] for definition in result.definitions] == ["LIMIT = math.pi", "def helper(x):", "def other(x):"]


def test_names_of_the_examples_travel_too():
    result = cut(with_body("return x", examples=">>> f(Pair(1))\n    1"))
    assert isinstance(result, Cutout)
    assert result.definitions[0].startswith("class Pair:")
    assert "import sys" in result.imports


def test_a_guarded_import_travels_whole():
    result = cut(with_body("return x", signature="@cache\ndef f(x):"))
    assert isinstance(result, Cutout)
    assert result.definitions[0].startswith("try:\n    from functools import cache")


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        ("return np.array(x)", "imports", "numpy"),
        ("return sibling.g(x)", "imports", "."),
        ("from numpy import array; return array(x)", "imports", "numpy"),
        ("import random; return random.choice(x)", "imports", "random"),
        ("return nowhere(x)", "unresolved_name", "nowhere"),
        ("return __file__", "unresolved_name", "__file__"),
    ],
)
def test_what_cannot_stand_alone_is_refused(body: str, reason: str, detail: str):
    assert cut(with_body(body)) == Refusal(reason, detail)


def test_a_name_bound_twice_is_refused():
    assert cut(with_body("return X"), head="X = 1\nX = 2\n") == Refusal("bound_more_than_once", "X")


def test_too_many_definitions_are_refused():
    assert cut(with_body("return helper(x)"), max_definitions=2) == Refusal("too_many_definitions", "3")


def test_annotations_that_cannot_be_resolved_are_postponed():
    result = cut(with_body("return x", signature="def f(x: np.ndarray) -> deque:"))
    assert isinstance(result, Cutout)
    assert result.imports == ("from __future__ import annotations", "from collections import deque")


def test_annotations_from_the_standard_library_are_imported():
    result = cut(with_body("return x", signature="def f(x: deque):"))
    assert isinstance(result, Cutout)
    assert result.imports == ("from collections import deque",)


def test_examples_lose_the_imports_of_their_own_package():
    result = cut(with_body("return x", examples=">>> from package.module import f, helper\n    >>> f(1)\n    1"))
    assert isinstance(result, Cutout)
    assert [example.source for example in result.examples] == ["f(1)\n"]


def test_examples_that_reach_through_their_package_are_shortened():
    examples = ">>> import package as p\n    >>> p.module.f(p.helper(1))\n    1"
    result = cut(with_body("return x", examples=examples))
    assert isinstance(result, Cutout)
    assert [example.source for example in result.examples] == ["f(helper(1))\n"]


def test_examples_that_need_more_of_their_package_are_refused():
    examples = ">>> from package.shapes import Circle\n    >>> f(Circle())\n    1"
    assert cut(with_body("return x", examples=examples)) == Refusal("examples_import", "shapes.Circle")
    missing = ">>> import package\n    >>> f(package.elsewhere(1))\n    1"
    assert cut(with_body("return x", examples=missing)) == Refusal("unresolved_name", "package")

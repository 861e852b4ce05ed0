import ast

import pytest

from snowcoder.exercises.cutout import Cutout, Refusal, cut_out
from snowcoder.exercises.functions import extract_functions
from snowcoder.exercises.package import ModuleSource, Package

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


FILES = {
    "shop/__init__.py": "from .prices import total\n",
    "shop/prices.py": "from . import taxes\nfrom .units import UNIT, scale as rescale\n\n\ndef total(x):\n    return taxes.add(x) * UNIT\n",
    "shop/taxes.py": "import math\n\nRATE = 0.2\n\n\ndef add(x):\n    # rounded up\n    return math.ceil(x * (1 + RATE))\n",
    "shop/units.py": "UNIT = 1\n\n\ndef scale(x):\n    return x\n",
}


def cut_from_package(body: str, imports: str) -> Cutout | Refusal:
    content = f"{imports}\n\n{with_body(body)}"
    package = Package(FILES | {"shop/main.py": content})
    (function,) = extract_functions(content)
    return cut_out(ModuleSource(content, "shop/main.py", package), function, "shop", 8)


@pytest.mark.parametrize(
    ("body", "imports"),
    [
        ("return total(x)", "from .prices import total"),
        ("return total(x)", "from shop import total"),
        ("return prices.total(x)", "from shop import prices"),
        ("return shop.total(x)", "import shop"),
        ("return s.total(x)", "import shop as s"),
    ],
)
def test_definitions_of_other_files_of_the_package_travel_before_their_use(body: str, imports: str):
    result = cut_from_package(body, imports)
    assert isinstance(result, Cutout), result
    assert result.imports == ("import math",)
    names = [definition.split("(")[0].split(" =")[0] for definition in result.definitions]
    assert sorted(names) == ["RATE", "UNIT", "def add", "def total"]
    program = "\n".join([*result.imports, *result.definitions, result.function.source])
    namespace: dict = {}
    exec(compile(ast.parse(program), "<program>", "exec"), namespace)
    assert namespace["f"](10) == 12
    assert "# rounded up" in program


@pytest.mark.parametrize(
    ("body", "imports", "reason"),
    [
        ("return rescale(x)", "from .prices import rescale", "imports"),  # it has another name there
        ("return absent(x)", "from .prices import absent", "imports"),
        ("total = 1; return prices.total(x) + total", "from . import prices", "imports"),  # shortened, it would mean the local one
        ("return str(prices) + str(x)", "from . import prices", "imports"),
        ("return add(x) + RATE", "from .taxes import add\nRATE = 5", "name_conflict"),
    ],
)
def test_what_cannot_be_taken_from_the_package_is_refused(body: str, imports: str, reason: str):
    result = cut_from_package(body, imports)
    assert isinstance(result, Refusal), result
    assert result.reason == reason


def test_type_variables_travel_and_annotations_without_a_name_are_postponed():
    head = "from typing import TypeVar, Iterable\nT = TypeVar('T')\n\n\n"
    result = cut(with_body("return x", signature="def f(x: Iterable[T]) -> T:"), head=head)
    assert isinstance(result, Cutout)
    assert result.definitions == ("T = TypeVar('T')",)
    assert result.imports == ("from typing import Iterable", "from typing import TypeVar")


def test_the_future_import_stays_only_where_something_is_annotated():
    head = "from __future__ import annotations\n\n\n"
    plain, annotated = cut(with_body("return x"), head=head), cut(with_body("return x", signature="def f(x: int):"), head=head)
    assert isinstance(plain, Cutout)
    assert isinstance(annotated, Cutout)
    assert plain.imports == ()
    assert annotated.imports == ("from __future__ import annotations",)


def test_typing_extensions_is_typing_where_that_has_the_name():
    result = cut(with_body("return cast(int, x)"), head="from typing_extensions import cast\n\n\n")
    assert isinstance(result, Cutout)
    assert result.imports == ("from typing import cast",)

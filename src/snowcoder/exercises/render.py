'''Renders a cut-out function as text: problem statement, solution, and the problem-solving-oriented file that holds both with tests.

"""Write a function `chunked(iterable, n)`.            <- problem: signature, then the docstring's prose without its examples

Break *iterable* into lists of length *n*.
"""

from itertools import islice                           <- solution: imports, helpers, the function with summary and examples


def chunked(iterable, n):
    """Break *iterable* into lists of length *n*:

    >>> chunked([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    ...


# Tests
assert chunked([1, 2, 3], 2) == [[1, 2], [3]]          <- tests (doctests.py)
'''

import ast
import re
import textwrap

from snowcoder.exercises.cutout import Cutout
from snowcoder.exercises.doctests import quote, show_examples
from snowcoder.exercises.functions import DocumentedFunction, parse_examples

MAX_SIGNATURE_CHARACTERS = 100
# lines of a docstring that only announce the examples, which have been taken out
ANNOUNCEMENT = re.compile(
    r"^\s*(\**(for )?(examples?|usage|example usage|basic usage|doctests?|tests?)\**\s*:{0,2}"
    r"|\.\. (doctest|testsetup|code-block|code)::.*)\s*$",
    re.IGNORECASE,
)
UNDERLINE = re.compile(r"^\s*[-=~^*]{3,}\s*$")


def render_problem(cutout: Cutout) -> str:
    """Prose: what to write, and what it should do."""
    prose = description(cutout.function.docstring)
    return f"Write a function `{_call_form(cutout.function)}`.\n" + (f"\n{prose}\n" if prose else "")


def render_solution(cutout: Cutout) -> str:
    """Imports, inlined definitions, and the function with a docstring of its summary and examples."""
    imports = "\n".join(cutout.imports)
    function = _with_short_docstring(cutout)
    return "\n\n\n".join(part.strip("\n") for part in (imports, *cutout.definitions, function) if part) + "\n"


def render_document(problem: str, solution: str, tests: str) -> str:
    """One self-contained Python file."""
    return f"{render_instruction(problem, solution)}\n\n# Tests\n{tests}"


def render_instruction(problem: str, solution: str) -> str:
    """Problem, then solution, without tests: the shape of instruction data."""
    blank = "\n" if solution.startswith(("import ", "from ")) else "\n\n"
    return f"{quote(problem)}\n{blank}{solution}"


def description(docstring: str) -> str:
    """The prose of a docstring: examples and the headings that announce them taken out."""
    parts = [part.rstrip() for part in parse_examples(docstring) if isinstance(part, str)]
    # what ended in `:` or `::` announced the examples that stood there
    closed = [re.sub(r"\s*::?\Z", ".", part) if not ANNOUNCEMENT.match(part.split("\n")[-1]) else part for part in parts]
    lines = "\n".join(closed).split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        if ANNOUNCEMENT.match(line) or (UNDERLINE.match(line) and number and ANNOUNCEMENT.match(lines[number - 1])):
            continue
        kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


def summary(docstring: str) -> str:
    """The first paragraph of the prose."""
    return description(docstring).split("\n\n")[0]


def _with_short_docstring(cutout: Cutout) -> str:
    function = cutout.function
    text = summary(function.docstring)
    examples = show_examples(cutout.examples)
    blank = "\n\n" if text else "\n"
    indent = " " * _body_indent(function)
    inner = textwrap.indent(f"{text}{blank}{examples}".rstrip("\n") + "\n", indent, lambda line: bool(line.strip()))
    literal = quote(inner[len(indent) :] + indent) if text else quote(inner + indent)
    return f"{function.signature}{indent}{literal}\n{function.body}"


def _body_indent(function: DocumentedFunction) -> int:
    return len(function.prompt.rstrip("\n").split("\n")[-1]) - len(function.prompt.rstrip("\n").split("\n")[-1].lstrip()) or 4


def _call_form(function: DocumentedFunction) -> str:
    """`name(a, b=1)`: the signature without annotations, cut where it is long."""
    node = ast.parse(function.source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    text = f"{node.name}({ast.unparse(node.args)})"
    return text if len(text) <= MAX_SIGNATURE_CHARACTERS and "`" not in text else f"{node.name}(...)"

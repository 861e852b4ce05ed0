'''Renders an exercise as text: problem statement, solution, and the problem-solving file that contains both with tests.

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
assert chunked([1, 2, 3], 2) == [[1, 2], [3]]          <- tests (doctests.py, recording.py)

That is one of several forms: a file states its problem in the module's docstring, in comments or in the function's own docstring, and tests
in plain asserts, in a test function, under a main guard, from a table, or by running its docstring. A number chosen by whoever asks (a hash
of the function) decides, so that a model is not taught one template.
'''

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from snowcoder.exercises.cutout import Cutout
from snowcoder.exercises.docstring_prose import description, summary
from snowcoder.exercises.doctests import quote
from snowcoder.exercises.functions import DocumentedFunction, extract_functions

MAX_SIGNATURE_CHARACTERS = 100
COMMENT_WIDTH = 100
OPENINGS = (
    "Write a {kind} `{call}`.",
    "Implement the {kind} `{call}`.",
    "Problem: write `{call}`.",
    "Exercise: a {kind} `{call}`.",
    "Task: implement `{call}`.",
)
STATEMENTS = ("module_docstring", "comment", "own_docstring")
TESTS = ("asserts", "test_function", "main_guard", "table", "doctest")
TESTMOD_RUN = """if __name__ == "__main__":
    import doctest

    failed, attempted = doctest.testmod({options})
    assert attempted and not failed
"""
LENIENT = "optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE"


@dataclass(frozen=True)
class Checks:
    """The tests of one exercise in the ways they can be written.

    code: statements. examples: as in a docstring. table: pairs (arguments, result) as source text, or () where they are no such pairs.
    runs_as_doctest: `examples` hold unchanged. only_doctest: only a doctest run (lenient about layout) expresses them.
    """

    code: str
    examples: str
    n_tests: int
    table: tuple[tuple[str, str], ...] = ()
    runs_as_doctest: bool = False
    only_doctest: bool = False


def render_problem(cutout: Cutout, variant: int = 0) -> str:
    """Prose: what to write, and what it should do."""
    prose = description(cutout.function.docstring)
    kind = "class" if _node(cutout.function) is None else "function"
    opening = OPENINGS[variant % len(OPENINGS)].format(kind=kind, call=_call_form(cutout.function))
    methods = _methods(cutout.function) if kind == "class" else ""
    return "\n\n".join(part for part in (opening, prose, methods) if part) + "\n"


def render_solution(cutout: Cutout, examples: str, whole_docstring: bool = False) -> str:
    """Imports, inlined definitions, and the function with a docstring of its summary (or all its prose) and `examples`."""
    imports = _merged_imports(cutout.imports)
    prose = (description if whole_docstring else summary)(cutout.function.docstring)
    function = _with_docstring(cutout.function, prose, examples)
    text = imports
    for part in [*(_with_summary_alone(definition) for definition in cutout.definitions), function]:
        part = part.strip("\n")
        # constants stay together, functions and classes are separated
        apart = part.startswith(("def ", "class ", "@", "async ")) or text.rsplit("\n", 1)[-1].startswith((" ", ")", "}", "]"))
        text += (("\n\n\n" if apart else "\n\n" if text is imports else "\n") if text else "") + part
    return text + "\n"


def render_document(cutout: Cutout, checks: Checks, variant: int) -> tuple[str, str, str, str]:
    """(problem, solution, tests, the file of all three). variant: any number; the same gives the same form."""
    statement = STATEMENTS[variant // 7 % len(STATEMENTS)]
    style = TESTS[variant // 31 % len(TESTS)]
    if (style == "doctest" and not checks.runs_as_doctest) or (style == "table" and not checks.table):
        style = "asserts" if variant % 2 else "test_function"
    problem = render_problem(cutout, variant // 101)
    solution = render_solution(cutout, checks.examples, whole_docstring=statement == "own_docstring" or style == "doctest")
    tests = _tests(cutout.function.name, checks, style)
    heads = {"module_docstring": f"{quote(problem)}\n", "comment": _comment(problem), "own_docstring": ""}
    blank = "" if statement == "own_docstring" else "\n" if solution.startswith(("import ", "from ")) else "\n\n"
    return problem, solution, tests, f"{heads[statement]}{blank}{solution}\n\n{tests}"


def render_instruction(problem: str, solution: str) -> str:
    """Problem, then solution, without tests: the shape of instruction data."""
    blank = "\n" if solution.startswith(("import ", "from ")) else "\n\n"
    return f"{quote(problem)}\n{blank}{solution}"


def _tests(name: str, checks: Checks, style: str) -> str:
    if style == "doctest" or checks.only_doctest:
        return TESTMOD_RUN.format(options=LENIENT if checks.only_doctest else "")
    if style == "table":
        rows = "".join(f"    ({_as_tuple(arguments)}, {result}),\n" for arguments, result in checks.table)
        code = f"CASES = [\n{rows}]\n\nfor arguments, expected in CASES:\n    assert {name}(*arguments) == expected\n"
        return f"# Each case: arguments, expected result\n{code}"
    indented = textwrap.indent(checks.code, "    ")
    if style == "asserts" or not _is_same_code(checks.code, indented):
        return f"# Tests\n{checks.code}"
    if style == "main_guard":
        return f'if __name__ == "__main__":\n{indented}'
    test = f"test_{name.strip('_').lower()}"
    return f'def {test}():\n{indented}\n\nif __name__ == "__main__":\n    {test}()\n'


def _as_tuple(arguments: str) -> str:
    call = ast.parse(f"f({arguments})", mode="eval").body
    assert isinstance(call, ast.Call)
    return f"({arguments},)" if len(call.args) == 1 else f"({arguments})"


def _is_same_code(code: str, indented: str) -> bool:
    """Indenting has changed no text over several lines; nothing needs to be at the top level."""
    if "globals()" in code:
        return False
    block = ast.parse(f"if True:\n{indented}").body[0]
    assert isinstance(block, ast.If)
    return [ast.dump(node) for node in block.body] == [ast.dump(node) for node in ast.parse(code).body]


def _comment(text: str) -> str:
    lines = []
    for line in text.rstrip("\n").split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, COMMENT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _merged_imports(statements: Sequence[str]) -> str:
    """One line per module; the order stays."""
    merged: dict[str, list[str]] = {}
    for statement in statements:
        head, _, names = statement.partition(" import ") if statement.startswith("from ") else (statement, "", "")
        merged.setdefault(head, []).extend([names] if names else [])
    return "\n".join(f"{head} import {', '.join(names)}" if names else head for head, names in merged.items())


def _with_docstring(function: DocumentedFunction, text: str, examples: str) -> str:
    blank = "\n\n" if text else "\n"
    last = function.prompt.rstrip("\n").split("\n")[-1]
    indent = " " * (len(last) - len(last.lstrip()) or 4)
    inner = textwrap.indent(f"{text}{blank}{examples}".rstrip("\n") + "\n", indent, lambda line: bool(line.strip()))
    literal = quote(inner[len(indent) :] + indent) if text else quote(inner + indent)
    if "\n" not in inner.strip("\n"):
        literal = quote(text)
    return f"{function.signature}{indent}{literal}\n{function.body}"


def _with_summary_alone(definition: str) -> str:
    """An inlined function's docstring cut to its summary: its examples and history are not what the exercise is about."""
    found = extract_functions(definition)
    return _with_docstring(found[0], summary(found[0].docstring), "") if found else definition


def _node(function: DocumentedFunction) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    node = ast.parse(function.source).body[0]
    return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _methods(function: DocumentedFunction) -> str:
    """The public methods of a class, a line each: a class's own docstring seldom says what it must be able to do."""
    node = ast.parse(function.source).body[0]
    assert isinstance(node, ast.ClassDef)
    lines = []
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
            for argument in ast.walk(method.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
            said = " ".join(summary(ast.get_docstring(method) or "").split())
            lines.append(f"- `{method.name}({ast.unparse(method.args)})`" + (f": {said}" if said else ""))
    return "Methods:\n\n" + "\n".join(lines) if lines else ""


def _call_form(function: DocumentedFunction) -> str:
    """`name(a, b=1)`: the signature without annotations, cut where it is long; of a class, its name."""
    node = _node(function)
    if node is None:
        return function.name
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    text = f"{node.name}({ast.unparse(node.args)})"
    return text if len(text) <= MAX_SIGNATURE_CHARACTERS and "`" not in text else f"{node.name}(...)"

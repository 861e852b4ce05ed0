"""The Python part of the educational rubric (see rubric.py): points from the syntax tree; the text is parsed, never executed.

in: text of a file  out: {criterion: points}, with `is_tests` above 0 for a file of tests; empty if it cannot teach anything
"""

import ast
import re
import warnings
from collections.abc import Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef
DESCRIPTIVE = re.compile(r"_*[a-z][a-z0-9_]{2,}")
EXAMPLE_SECTION = re.compile(r"^\s*(>>> |Examples?::?\s*$|Examples?\s*\n\s*-{3,})", re.MULTILINE)
FUNCTION_LINES = range(2, 41)


def score_python(content: str, comment_fraction: float) -> dict[str, float]:
    """Points by criterion; {} if the text does not parse or defines neither a function nor a class."""
    tree = _parse(content)
    if tree is None:
        return {}
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    if not functions and not classes:
        return {}
    public = [node for node in [*functions, *classes] if not node.name.startswith("_")]
    docstrings = [text for node in [tree, *functions, *classes] if (text := ast.get_docstring(node))]
    return {
        "purpose": 0.5 if len(ast.get_docstring(tree) or "") >= 20 else 0.0,
        "documentation": 1.5 * _share([ast.get_docstring(node) is not None for node in public]),
        # against the size of the file: a plain count would make long files educational
        "examples": min(1.0, sum(EXAMPLE_SECTION.search(text) is not None for text in docstrings) / max(1.0, len(public) / 4)),
        "function_length": 0.5 * _share([_n_lines(node) in FUNCTION_LINES for node in functions]),
        "naming": 0.5 * _share([DESCRIPTIVE.fullmatch(name) is not None for name in _names(functions)]),
        "signatures": 0.5 * _share([_is_annotated(node) for node in functions]),
        "comments": 0.5 if 0.02 <= comment_fraction <= 0.4 else 0.0,
        "is_tests": float(_share([node.name.startswith("test") for node in functions]) > 0.5),
    }


def _parse(content: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own string escapes
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _n_lines(node: Function) -> int:
    """Lines of the body and one for the signature, the docstring left out: a well documented function is not a long one."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 1
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 + (body[0].lineno > node.lineno)


def _names(functions: Sequence[Function]) -> list[str]:
    """Names of functions and of their arguments; operators' methods and `self` say nothing about style."""
    names = [node.name for node in functions if not (node.name.startswith("__") and node.name.endswith("__"))]
    arguments = [argument.arg for node in functions for argument in _arguments(node)]
    return names + [name for name in arguments if name not in ("self", "cls")]


def _arguments(node: Function) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _is_annotated(node: Function) -> bool:
    arguments = [argument for argument in _arguments(node) if argument.arg not in ("self", "cls")]
    return node.returns is not None or (bool(arguments) and all(argument.annotation for argument in arguments))

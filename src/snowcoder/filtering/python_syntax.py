"""Whether Python text parses, and whether two texts differ in their strings alone. Parsed, never run."""

import ast
import warnings

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # ValueError: null bytes; the others: nested too deep for the parser


def syntax_error_line(content: str) -> int:
    """Line of the first syntax error, 1 if the parser names none; 0 if the text parses."""
    try:
        _parse(content)
    except SyntaxError as error:
        return error.lineno or 1
    except _UNPARSABLE:
        return 1
    return 0


def python_outline(content: str) -> str | None:
    """The syntax tree of Python text without the values of its constants, None if it does not parse: equal where only strings differ."""
    try:
        tree = _parse(content)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant):
                node.value = None
        return ast.dump(tree)
    except _UNPARSABLE:
        return None


def _parse(content: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's strings
        return ast.parse(content)

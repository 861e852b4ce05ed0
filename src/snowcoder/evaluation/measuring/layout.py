"""Writes a body of code in one layout, so that bits per byte measure what code says and not how its author laid it out.

in: a prompt, the code that follows it   out: that code as ast.unparse writes it, in the block and with the indentation of the prompt

EvalPlus' solutions begin with blank lines, MBPP's are indented by tabs, or by one blank: a model pays for each such habit. ast.unparse
leaves one layout; comments, blank lines, redundant brackets and the author's choice of quotes are gone. It writes as Python's minor version
does.
"""

import ast

from snowcoder.exercises.names import normalise_newlines, parse

UNIT = "    "  # what ast.unparse indents by
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def normalise_body(prompt: str, body: str) -> str | None:
    """`body` in the one layout, to stand behind `prompt`, which stays as it is; it ends in one newline.

    prompt + the result has the same syntax tree as prompt + body (a prompt that ends within a line is followed by a newline first). None
    where that cannot be had: no Python, a border within a statement, a string of several lines that another indentation would change.
    """
    own_line = "" if prompt.endswith("\n") or not prompt else "\n"
    before = parse(prompt + body) or parse(prompt + own_line + body)
    if before is None:
        return None
    lines = normalise_newlines(prompt + own_line).split("\n")
    blocks = _open_blocks(before, lines)
    try:
        written = own_line + "".join(_write(*block) for block in reversed(blocks))
    except (ValueError, RecursionError):  # a backslash within an f-string, which this Python cannot write; nested too deep
        return None
    after = parse(prompt + written)
    return written if after is not None and ast.dump(after) == ast.dump(before) else None


def _open_blocks(tree: ast.Module, lines: list[str]) -> list[tuple[list[ast.stmt], str, str]]:
    """(statements behind the prompt, its indentation, that of the block around it) of each block that the prompt leaves open, outermost
    first; lines: those of the prompt, the last one empty."""
    blocks = []
    statements, indent, outer = tree.body, "", ""
    while True:
        own = [statement for statement in statements if _first_line(statement) < len(lines)]
        if own and outer is not indent:  # a block shows its indentation by what stands in it, such as the docstring
            indent = lines[own[-1].lineno - 1][: own[-1].col_offset]
        blocks.append((statements[len(own) :], indent, outer))
        if not own or not isinstance(own[-1], Definition) or (own[-1].end_lineno or 0) < len(lines):
            return blocks
        statements, indent, outer = own[-1].body, indent + UNIT, indent


def _first_line(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, Definition) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _write(statements: list[ast.stmt], indent: str, outer: str) -> str:
    """The statements in a block indented by `indent`; blocks within it are indented by as much more as it is more than `outer`."""
    if not statements:
        return ""
    unit = indent.removeprefix(outer) or UNIT
    depth = len(indent) // len(UNIT)
    if unit == UNIT and indent == UNIT * depth:
        # written within blocks, not moved there: the lines of a docstring stay as they are
        for _ in range(depth):
            statements = [ast.If(ast.Constant(True), statements, [])]
        text = "\n".join(ast.unparse(ast.Module(statements, [])).split("\n")[depth:])
        return text.lstrip("\n") + "\n"
    return "".join(_move(line, indent, unit) + "\n" for line in ast.unparse(ast.Module(statements, [])).split("\n"))


def _move(line: str, indent: str, unit: str) -> str:
    rest = line.lstrip(" ")
    return indent + unit * ((len(line) - len(rest)) // len(UNIT)) + rest if rest else ""

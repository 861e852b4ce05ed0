"""Extracts the solution from a model's output, as EvalPlus does (evalplus 0.3.1, sanitize.py), with Python's own parser.

in: text, the function asked for   out: program text: imports, then the definitions that the function needs

What counts there and so counts here: of the text, the longest run of lines that parses; of that, imports, classes, functions that return
something, and assignments, each name once, as far as the function reaches them by name. Decorated functions and statements that only do
something (calls, loops, `if __name__`) are left out.
"""

import ast
import warnings
from collections.abc import Iterator, Sequence

MAX_LINES = 500  # a text with more is left as it is: looking for the run that parses takes time with the square of its lines
MAX_PARSES = 20_000


def sanitise(text: str, entry_point: str) -> str:
    """The program in `text`; its longest run of lines that parses where nothing of use is defined. Never raises."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return text
    code = longest_program(lines)
    return _needed(code, entry_point).strip() or code


def longest_program(lines: Sequence[str]) -> str:
    """The run of at least two lines that parses and has most lines that are not blank, the first of equals; else the first line."""
    filled = [0]
    for line in lines:
        filled.append(filled[-1] + bool(line.strip()))
    for parses, (first, last) in enumerate(_runs(lines, filled)):
        code = "\n".join(lines[first : last + 1])
        if _parse(code) is not None:
            return code
        if parses >= MAX_PARSES:
            break
    return lines[0]


def _runs(lines: Sequence[str], filled: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of runs that may parse, those with most lines that are not blank first, then by position."""
    by_count: dict[int, list[tuple[int, int]]] = {}
    for first in range(len(lines)):
        for last in range(first + 1, _indented_code(lines, first)):
            count = filled[last + 1] - filled[first]
            if count:
                by_count.setdefault(count, []).append((first, last))
    for count in sorted(by_count, reverse=True):
        yield from by_count[count]


def _indented_code(lines: Sequence[str], first: int) -> int:
    """Where a run from `first` must end: before its first line of code if that is indented. Comments and blank lines parse anywhere."""
    for place in range(first, len(lines)):
        line = lines[place]
        if line.strip() and not line.lstrip().startswith("#"):
            return place if line[0] in " \t" else len(lines)
    return len(lines)


def _parse(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _needed(code: str, entry_point: str) -> str:
    tree = _parse(code)
    if tree is None:
        return ""
    lines = code.encode().split(b"\n")
    imports: list[ast.stmt] = []
    definitions: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__"):
            imports.append(node)
        elif (name := _defined_name(node)) is not None:
            definitions.setdefault(name, node)
    reached = _reached(entry_point, definitions)
    kept = [*imports, *(node for name, node in definitions.items() if name in reached)]
    return "\n".join(_segment(lines, node) for node in kept)


def _defined_name(node: ast.stmt) -> str | None:
    """What a statement of the module defines, if it is of the kinds that are kept."""
    if isinstance(node, ast.ClassDef):
        return None if node.decorator_list else node.name
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        returns = any(isinstance(inner, ast.Return) for inner in ast.walk(node))
        return node.name if returns and not node.decorator_list else None
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return target.id if isinstance(target, ast.Name) else None
    return None


def _reached(entry_point: str, definitions: dict[str, ast.stmt]) -> set[str]:
    reached, queue = {entry_point}, [entry_point]
    while queue:
        node = definitions.get(queue.pop())
        new = _identifiers(node) - reached if node is not None else set()
        reached |= new
        queue += new
    return reached


def _identifiers(node: ast.AST) -> set[str]:
    """Every name in a piece of syntax: of variables, attributes, parameters, imports."""
    found: set[str] = set()
    for inner in ast.walk(node):
        for field in ("id", "attr", "arg", "name", "asname", "module", "rest"):
            value = getattr(inner, field, None)
            if isinstance(value, str):
                found |= set(value.split("."))
        if isinstance(inner, ast.Global | ast.Nonlocal):
            found |= set(inner.names)
    return found


def _segment(lines: Sequence[bytes], node: ast.stmt) -> str:
    """The text of a statement; columns are counted in bytes."""
    assert node.end_lineno is not None
    part = list(lines[node.lineno - 1 : node.end_lineno])
    part[-1] = part[-1][: node.end_col_offset]
    part[0] = part[0][node.col_offset :]
    return b"\n".join(part).decode()

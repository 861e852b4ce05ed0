"""Changes one operator, constant or comparison of a reference solution in place and keeps the layout of the rest.

in: a prompt, the solution that follows it, a seed   out: changed solutions
"""

import ast
import random
import warnings
from collections.abc import Iterator

# operator as written -> the one put in its place
SWAPS: dict[type, tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Mod: ("%", "//"),
    ast.FloorDiv: ("//", "%"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
Change = tuple[int, int, str]  # first and last byte in the program, text put there


def mutate(prompt: str, solution: str, seed: int, max_mutants: int) -> list[str]:
    """Copies of the solution with one change each, all different, in the order of the places; [] if it has none, or is no Python.

    Where there are more places than max_mutants, seed and text draw from them.
    """
    whole = (prompt + solution).encode()
    start = len(prompt.encode())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(whole)
    except (SyntaxError, ValueError):
        return []
    starts = [0]
    for line in whole.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    changes = sorted({change for node in ast.walk(tree) for change in _changes(node, whole, starts) if change[0] >= start})
    if len(changes) > max_mutants:
        changes = sorted(random.Random(f"{seed} {prompt}{solution}").sample(changes, max_mutants))
    return [(whole[start:first] + text.encode() + whole[last:]).decode() for first, last, text in changes]


def _changes(node: ast.AST, whole: bytes, starts: list[int]) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first, last = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        yield first, last, str(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _operator(node.left, node.ops[0], node.comparators[0], whole, starts)
    elif isinstance(node, ast.BinOp):
        yield from _operator(node.left, node.op, node.right, whole, starts)
    elif isinstance(node, ast.BoolOp):
        yield from _operator(node.values[0], node.op, node.values[1], whole, starts)


def _operator(left: ast.expr, operator: ast.AST, right: ast.expr, whole: bytes, starts: list[int]) -> Iterator[Change]:
    """The operator between two operands, if it is one of SWAPS and nothing but blanks and brackets is next to it."""
    if type(operator) not in SWAPS:
        return
    assert left.end_lineno is not None
    assert left.end_col_offset is not None
    written, other = SWAPS[type(operator)]
    first, last = starts[left.end_lineno - 1] + left.end_col_offset, starts[right.lineno - 1] + right.col_offset
    place = whole[first:last].find(written.encode())
    if place >= 0 and not whole[first:last].replace(written.encode(), b"", 1).strip(b" ()\\\n"):
        yield first + place, first + place + len(written), other

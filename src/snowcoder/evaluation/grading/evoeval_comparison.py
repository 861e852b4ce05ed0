"""Decides whether a returned value is right, by the rules of EvoEval (evo-eval/evoeval, eval_test/: is_equal, special oracles).

Runs inside the sandbox: standard library and numpy only.

in: the arguments of a call, what it returned, what the reference solution returned   out: whether EvoEval would accept it
An exception raised here means: not accepted. Arguments reach the oracles as the solution has left them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from snowcoder.evaluation.grading.output_comparison import is_floats, polynomial

FLOAT_TOLERANCE = 1e-6
KINDS = (bool, int, str)
CONTAINERS = (tuple, list, dict, set, type)


class EvoEvalJudge:
    """Judges the calls of one problem. problem_id: `<part>/EvoEval/<number>`."""

    def __init__(self, problem_id: str) -> None:
        self._oracle = ORACLES.get(problem_id)

    def accepts(self, arguments: Sequence[Any], out: Any, expected: Any) -> bool:
        """Whether the call counts as right."""
        return self._oracle(arguments, out, expected) if self._oracle is not None else is_equal(expected, out)


def is_equal(expected: Any, out: Any) -> bool:
    """Equal in kind and value; floats within tolerance, at any depth of lists, tuples and dicts; NaN equals NaN."""
    kind = _kind(expected)
    if kind != _kind(out):
        return False
    if kind == "float":
        return bool(np.allclose(expected, out, equal_nan=True, atol=FLOAT_TOLERANCE))
    if kind in ("list", "tuple"):
        return len(expected) == len(out) and all(is_equal(a, b) for a, b in zip(expected, out, strict=True))
    if kind == "dict":
        return len(expected) == len(out) and all(key in out and is_equal(value, out[key]) for key, value in expected.items())
    return bool(expected == out)


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    if kind := next((kind for kind in KINDS if isinstance(value, kind)), None):
        return kind.__name__
    if is_floats(value) or (isinstance(value, list | tuple) and not value):  # an empty list or tuple counts as one of floats
        return "float"
    return next((container.__name__ for container in CONTAINERS if isinstance(value, container)), "other")


def _palindrome(arguments: Sequence[Any], out: Any, expected: Any) -> bool:
    (text,) = arguments
    return len(out) == len(expected) and out.startswith(text) and out.lower() == out[::-1].lower()


def _root_in_interval(arguments: Sequence[Any], out: Any, expected: Any) -> bool:
    coefficients, (start, end) = arguments
    if expected is None:
        return out is None
    return start <= out <= end and abs(polynomial(coefficients, out)) <= 2e-2


def _root_of_even_powers(arguments: Sequence[Any], out: Any, expected: Any) -> bool:
    (given,) = arguments
    coefficients = [given[0], given[1], *(term for value in given[2:] for term in (0, value))]
    return abs(polynomial(coefficients, out)) <= 1e-6


def _way_through_maze(arguments: Sequence[Any], out: Any, expected: Any) -> bool:
    maze, start, end = arguments
    if not expected:
        return out == []
    moves = {"right": (0, 1), "left": (0, -1), "up": (-1, 0), "down": (1, 0)}
    row, column = place = start
    for move in out:
        row, column = place = (place[0] + moves[move][0], place[1] + moves[move][1])
        if maze[row][column] == 1:
            return False
    return place == end


def _path_through_maze(arguments: Sequence[Any], out: Any, expected: Any) -> bool:
    maze, start, end = arguments
    if not expected:
        return out == []
    if out[0] != start or out[-1] != end or maze[start[0]][start[0]] == 0:  # the row twice: as published
        return False
    steps = pairwise(out)
    return all(maze[x][y] != 0 and abs(x - before_x) + abs(y - before_y) == 1 for (before_x, before_y), (x, y) in steps)


def _product(arguments: Sequence[Any], out: Any, expected: Any) -> bool:
    numbers, target = arguments
    if expected == "No magic today":
        return out == expected
    if not isinstance(out, tuple):
        return False
    first, second = out
    return 0 <= first < second < len(numbers) and numbers[first] * numbers[second] == target


ORACLES: dict[str, Callable[[Sequence[Any], Any, Any], bool]] = {
    "difficult/EvoEval/10": _palindrome,
    "difficult/EvoEval/32": _root_in_interval,
    "creative/EvoEval/26": _way_through_maze,
    "creative/EvoEval/30": _path_through_maze,
    "creative/EvoEval/69": _product,
    "subtle/EvoEval/32": _root_of_even_powers,
}

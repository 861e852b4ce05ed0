"""Is what a solution returned right? The rules of EvalPlus (evalplus 0.3.1, eval/__init__.py and eval/_special_oracle.py).

Runs inside the sandbox: standard library only. numpy is used where the solution has imported it, and imitated where it has not.

in: the arguments of a call, what it returned, what the reference solution returned   out: whether EvalPlus would accept it

An exception raised here (comparing an array, say) means: not accepted. Peculiarities that are kept, because the verdicts must be equal:
- once a reference output is a float, or a list or tuple of floats, the tolerance of 1e-6 stays for all later inputs;
- with a tolerance, sequences are compared as numpy.allclose does it: inner shapes may be broadcast, anything but numbers is refused;
- arguments reach the oracles as the solution has left them.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

FLOAT_TOLERANCE = 1e-6
RELATIVE_TOLERANCE = 1e-07

# MBPP functions whose sequences are compared as sets: Mbpp/2, 7, 111, 140, 232, 249, 579, 769
SET_FUNCTIONS = {
    "similar_elements",
    "find_char_long",
    "common_in_nested_lists",
    "extract_singly",
    "larg_nnum",
    "intersection_array",
    "find_dissimilar",
    "Diff",
}
# MBPP functions of which only counts whether they return something
NOT_NONE_FUNCTIONS = {"check_str", "text_match_three", "text_starta_endb"}


def polynomial(coefficients: Sequence[float], x: float) -> float:
    """Value at `x`; coefficients from the constant on."""
    return sum(coefficient * math.pow(x, power) for power, coefficient in enumerate(coefficients))


def pyramid_surface(base_edge: float, height: float) -> int:
    """Mbpp/581 with the height read as that of the apex over the base; the reference reads it as the slant height."""
    slant = math.sqrt((base_edge / 2) ** 2 + height**2)
    return round(base_edge**2 + 4 * (base_edge * slant) / 2)


def digit_distance(first: int, second: int) -> int:
    """Mbpp/558 with the shorter number padded by zeros."""
    width = max(len(str(first)), len(str(second)))
    return sum(abs(int(a) - int(b)) for a, b in zip(str(first).zfill(width), str(second).zfill(width), strict=False))


def _either(is_also_right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda exact, atol, arguments, out, expected: exact or is_also_right(atol, arguments, out)


def _something(exact: Any, atol: float, arguments: Any, out: Any, expected: Any) -> Any:
    return out == expected if isinstance(out, bool) else expected == (out is not None)


# entry point -> rule(exact match, tolerance, arguments, returned, expected); the order of evaluation is EvalPlus'
MBPP_RULES: dict[str, Callable[..., Any]] = {
    "are_equivalent": _either(lambda atol, arguments, out: True),  # Mbpp/164
    "sum_div": _either(lambda atol, arguments, out: out == 0),  # Mbpp/295
    "surface_Area": _either(lambda atol, arguments, out: abs(out - pyramid_surface(*arguments)) <= atol),
    "digit_distance_nums": _either(lambda atol, arguments, out: out == digit_distance(*arguments)),
    **{name: lambda exact, atol, arguments, out, expected: set(out) == set(expected) for name in SET_FUNCTIONS},
    **dict.fromkeys(NOT_NONE_FUNCTIONS, _something),
}


class EvalPlusJudge:
    """Judges the calls of one group of inputs (base or plus), in their order. family: `humaneval` or `mbpp`."""

    def __init__(self, family: str, entry_point: str, atol: float) -> None:
        self._rule = MBPP_RULES.get(entry_point) if family == "mbpp" else None
        self._is_root = family == "humaneval" and entry_point == "find_zero"  # HumanEval/32: any root will do
        self._atol = atol

    def accepts(self, arguments: Sequence[Any], out: Any, expected: Any) -> bool:
        """Whether the call counts as right."""
        exact = out == expected
        if self._is_root:
            return abs(polynomial(*arguments, out)) <= self._atol
        if self._rule is not None:
            exact = self._rule(exact, self._atol, arguments, out, expected)
        if self._atol == 0 and is_floats(expected):
            self._atol = FLOAT_TOLERANCE
        if exact or self._atol == 0:
            return bool(exact)
        if type(out) is not type(expected) or (isinstance(expected, list | tuple) and len(out) != len(expected)):
            return False
        return all_close(out, expected, self._atol)


def is_floats(value: Any) -> bool:
    """A float, a list or tuple of nothing but floats and at least one, or an array of floats."""
    if isinstance(value, float):
        return True
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, float) for item in value)
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray) and value.dtype in (numpy.float64, numpy.float32)


def all_close(out: Any, expected: Any, atol: float, rtol: float = RELATIVE_TOLERANCE) -> bool:
    """numpy.allclose(out, expected, rtol, atol) for what a function without numpy returns. Raises TypeError or ValueError as numpy does."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        return bool(numpy.allclose(out, expected, rtol=rtol, atol=atol))
    left_shape, left = _as_array(out)
    right_shape, right = _as_array(expected)
    shape = _common_shape(left_shape, right_shape)
    pairs = zip(_spread(left, left_shape, shape), _spread(right, right_shape, shape), strict=True)
    return all(_is_close(a, b, atol, rtol) for a, b in pairs)


def _is_close(value: complex, expected: complex, atol: float, rtol: float) -> bool:
    finite = math.isfinite(expected.real) and math.isfinite(expected.imag)
    return (finite and abs(value - expected) <= atol + rtol * abs(expected)) or value == expected


def _as_array(value: Any, depth: int = 0) -> tuple[tuple[int, ...], list[complex]]:
    """(shape, numbers in row-major order). Raises ValueError for ragged sequences, TypeError for what numpy would not compute with."""
    if isinstance(value, list | tuple):
        parts = [_as_array(item, depth + 1) for item in value]
        inner = parts[0][0] if parts else ()
        if any(shape != inner for shape, _ in parts):
            raise ValueError("ragged sequences")
        return (len(parts), *inner), [number for _, numbers in parts for number in numbers]
    if isinstance(value, int | float):
        if depth and isinstance(value, int) and not -(2**63) <= value < 2**64:
            raise TypeError("an integer that only an object array holds")
        return (), [float(value)]
    if isinstance(value, complex):
        return (), [value]
    raise TypeError(f"{type(value).__name__} is not a number")


def _common_shape(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    n = max(len(left), len(right))
    pairs = list(zip((1,) * (n - len(left)) + left, (1,) * (n - len(right)) + right, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError("shapes cannot be broadcast together")
    return tuple(b if a == 1 else a for a, b in pairs)


def _spread(numbers: Sequence[complex], shape: tuple[int, ...], target: tuple[int, ...]) -> Iterator[complex]:
    """The numbers of an array of `shape`, broadcast to `target`, in row-major order."""
    if shape == target:
        yield from numbers
        return
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step if size != 1 else 0)
        step *= size
    strides = [0] * (len(target) - len(shape)) + strides[::-1]
    for index in product(*map(range, target)):
        yield numbers[sum(place * stride for place, stride in zip(index, strides, strict=True))]

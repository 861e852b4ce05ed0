"""Decides whether a returned value is right, by the rules of EvalPlus (evalplus 0.3.1, eval/__init__.py, eval/_special_oracle.py).

Runs inside the sandbox: standard library and numpy only.

in: the arguments of a call, what it returned, what the reference solution returned   out: whether EvalPlus would accept it

An exception raised here (comparing an array, say) means: not accepted. Peculiarities that are kept, because the verdicts must be equal:
- once a reference output is a float, or a list or tuple of floats, the tolerance of 1e-6 stays for all later inputs;
- with a tolerance, numpy.allclose compares: inner shapes may be broadcast, anything but numbers is an exception;
- arguments reach the oracles as the solution has left them.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

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


def _either(is_also_right: Callable[[float, Any, Any], Any]) -> Callable[..., Any]:
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
            (coefficients,) = arguments
            return abs(polynomial(coefficients, out)) <= self._atol
        if self._rule is not None:
            exact = self._rule(exact, self._atol, arguments, out, expected)
        if self._atol == 0 and is_floats(expected):
            self._atol = FLOAT_TOLERANCE
        if exact or self._atol == 0:
            return bool(exact)
        if type(out) is not type(expected) or (isinstance(expected, list | tuple) and len(out) != len(expected)):
            return False
        return bool(np.allclose(out, expected, rtol=RELATIVE_TOLERANCE, atol=self._atol))


def is_floats(value: Any) -> bool:
    """A float, a list or tuple of nothing but floats and at least one, or an array of floats."""
    if isinstance(value, float):
        return True
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, np.ndarray) and value.dtype in (np.float64, np.float32)

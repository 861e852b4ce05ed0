"""Restores the types of MBPP+'s inputs: JSON only has lists, and some functions expect tuples, sets or complex numbers.

Which problem needs what: evalplus 0.3.1, data/mbpp.py (mbpp_deserialize_inputs).
"""

from collections.abc import Callable
from typing import Any

Arguments = Any  # of one call


def restore_inputs(problem_id: str, inputs: list[Any]) -> list[Arguments]:
    """The arguments of every call of problem `Mbpp/<number>`; `inputs` as in the file."""
    restore = RESTORED.get(int(problem_id.rpartition("/")[2]))
    return [restore(arguments) for arguments in inputs] if restore else inputs


def _deep_tuple(value: Any) -> Any:
    return tuple(map(_deep_tuple, value)) if isinstance(value, list) else value


def _sets(arguments: Any) -> Any:
    return [[set(item) if isinstance(item, list) and item else {} for item in arguments[0]]]


_FORMS: list[tuple[Callable[[Any], Any], str]] = [
    # every argument a tuple
    (
        lambda arguments: [tuple(value) for value in arguments],
        "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
    ),
    # every argument a list of tuples
    (lambda arguments: [[tuple(item) for item in value] for value in arguments], "63 64 70 94 120 237 272 299 400 409 417 438 473 614 780"),
    (lambda arguments: [[tuple(item) for item in arguments[0]], arguments[1]], "75 413 444 753"),
    (lambda arguments: [arguments[0], tuple(arguments[1])], "106 750"),
    (_sets, "115"),
    (lambda arguments: (float(arguments[0]), complex(arguments[1])), "124"),
    (lambda arguments: [tuple(arguments[0]), arguments[1]], "250 405 446 617 720 763 808"),
    # every argument a tuple of tuples
    (lambda arguments: [tuple(tuple(item) for item in value) for value in arguments], "259 401 445"),
    (lambda arguments: [tuple(tuple(item) if isinstance(item, list) else item for item in arguments[0])], "278"),
    (lambda arguments: [tuple(arguments[0]), arguments[1], arguments[2]], "307"),
    (lambda arguments: [{key: tuple(value) for key, value in arguments[0].items()}, *arguments[1:]], "722"),
    (lambda arguments: [complex(arguments[0])], "252"),
    (_deep_tuple, "580 615 791"),
]
RESTORED: dict[int, Callable[[Any], Any]] = {int(number): form for form, numbers in _FORMS for number in numbers.split()}

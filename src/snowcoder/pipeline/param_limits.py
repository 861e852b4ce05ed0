"""States the largest number that a parameter may have, by what its name says that it counts.

Beyond it is a slip: a digit too many, or a value meant for another field. Without a limit, such a run does not end, or breaks in the middle
with a message of some library's. The limits are far above any experiment that is meant, and no advice. Names state their unit
(`cpu_threads`, `max_files_per_repository`), so that a new field has its limit by its name.
"""

from typing import Any

from annotated_types import Ge, Gt, Le

# bytes, tokens, files: of anything
MAX_NUMBER = 10**15
MAX_SEED = 2**63 - 1  # what derive_seed gives, and numpy and torch take
MAX_BY_UNIT = {
    "threads": 1_024,
    "layers": 1_000,
    "folds": 1_000,
    "draws": 1_000,
    "epochs": 10_000,
    "heads": 2**16,
    "size": 2**20,
    "resamples": 1_000_000,
    "samples": 1_000_000,
    "buckets": 2**30,
    "positions": 2**30,
}


def limits_of(name: str) -> tuple[int, int]:
    """(smallest, largest) number that a field called `name` may have, whatever its own bounds are."""
    unit = name.partition("_per_")[0].rpartition("_")[2]
    if unit == "seed":
        return 0, MAX_SEED
    largest = MAX_BY_UNIT.get(unit, MAX_NUMBER)
    return -largest, largest


def first_beyond(name: str, value: Any) -> int | float | None:
    """The first number in the value of a field, itself or in a list or mapping, that is beyond its limits; None if there is none."""
    smallest, largest = limits_of(name)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    numbers = (one for one in inner if isinstance(one, int | float) and not isinstance(one, bool))
    return next((one for one in numbers if not smallest <= one <= largest), None)


def with_limits(name: str, constraints: list[Any]) -> list[Any]:
    """The constraints of a field and its limits, as a message states them."""
    smallest, largest = limits_of(name)
    has_lower = smallest < 0 or any(isinstance(one, Ge | Gt) for one in constraints)
    return [*constraints, *([] if has_lower else [Ge(smallest)]), Le(largest)]


def limit_of_elements(name: str, value: Any, found: float) -> str:
    """What a message adds where `found`, beyond the limits, is in a list or mapping; with_limits states those of a number alone."""
    smallest, largest = limits_of(name)
    if not isinstance(value, dict | list | tuple):
        return ""
    return f", each at most {largest}" if found > largest else f", each from {smallest}"

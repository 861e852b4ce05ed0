"""Describes a faulty parameter in the user's terms: its dotted path, the value found, the values allowed.

in: pydantic's ValidationError and the model that raised it   out: a line for each fault
Allowed values are read from the model's own fields, so that a message is always complete and never shows pydantic's words.
"""

import difflib
import math
import re
import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from snowcoder.pipeline.references import own_fields

MAX_SHOWN_CHARACTERS = 80
PLURALS = {"text": "texts", "a whole number": "whole numbers", "a number": "numbers"}
_FIELD_FIRST = re.compile(r"(\w+)[\w.]*: ")


class Place(NamedTuple):
    """A value in a model: its dotted path below the model, its type and the constraints on it."""

    path: str
    type: Any
    constraints: tuple[Any, ...]


def describe_faults(error: ValidationError, model: type[BaseModel], field: str) -> list[str]:
    """A line for each fault of a value of `model` that is called `field`. A misspelt key is one fault: the right one is not missing too."""
    problems = error.errors()
    meant = {
        (*problem["loc"][:-1], close)
        for problem in problems
        if problem["type"] == "extra_forbidden" and (close := closest(problem["loc"][-1], _fields(_locate(model, problem["loc"][:-1]))))
    }
    told = [_describe(problem, model, field) for problem in problems if problem["type"] != "missing" or tuple(problem["loc"]) not in meant]
    return list(dict.fromkeys(told))


def describe_allowed(annotation: Any, constraints: Sequence[Any] = ()) -> str:
    """What a field of this type accepts: `a whole number from 1, or null`."""
    annotation, constraints = _unwrap(annotation, tuple(constraints))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        parts = _not_null(annotation)
        tag = _discriminator(constraints)
        if tag:
            described = f"a mapping with {tag}: {', '.join(_tags(parts, tag))}"
        else:
            described = " or ".join(dict.fromkeys(describe_allowed(part, constraints) for part in parts))
        return described + (", or null" if len(parts) < len(arguments) else "")
    if origin is Literal:
        return ", ".join(map(shown_plainly, arguments))
    if origin is list:
        described = describe_allowed(arguments[0])
        return f"a list of {PLURALS.get(described, described)}{_at_least(constraints)}"
    if origin is dict:
        return f"a mapping of names, each to {describe_allowed(arguments[1])}{_at_least(constraints)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a mapping with {', '.join(own_fields(annotation))}"
    named = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(annotation, str(annotation))
    return named + (_pattern(constraints) if annotation is str else _bounds(constraints))


def closest(name: Any, allowed: Iterable[Any]) -> str | None:
    """The allowed name that was probably meant."""
    by_lower = {str(one).lower(): str(one) for one in allowed}
    found = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return by_lower[found[0]] if found else None


def did_you_mean(name: Any, allowed: Iterable[Any], question: str = "did you mean {}? ") -> str:
    """A question to put before the list of what is allowed, or nothing."""
    close = closest(name, allowed)
    return question.format(close) if close else ""


def shown(value: Any) -> str:
    """A value as params.yaml has it, shortened."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, float) and not math.isfinite(value):
        return f".{value}".replace(".-", "-.")
    try:
        text = repr(value) if isinstance(value, str | int | float | dict | list) else str(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, an alias that holds itself
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"


def shown_plainly(value: Any) -> str:
    """As `shown`, without quotation marks."""
    return value if isinstance(value, str) else shown(value)


def _describe(problem: Any, model: type[BaseModel], field: str) -> str:
    kind, loc, found = problem["type"], tuple(problem["loc"]), problem["input"]
    if loc[-1:] == ("[key]",):
        place = _locate(model, loc[:-2])
        return f"{field}.{place.path}: found the key {shown(found)}; allowed: {describe_allowed(get_args(place.type)[0])}"
    place = _locate(model, loc)
    where = f"{field}.{place.path}" if place.path else field
    if kind == "extra_forbidden":
        allowed = _fields(_locate(model, loc[:-1]))
        return f"{where}: unknown parameter (found {shown(found)}); {did_you_mean(loc[-1], allowed)}allowed: {', '.join(allowed)}"
    if kind == "invalid_key":
        return f"{where}: found the key {shown(found)}; allowed: text"
    if kind == "missing":
        return f"{where}: missing; allowed: {describe_allowed(place.type, place.constraints)}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _describe_tag(found, place, where)
    if kind == "value_error":
        message = str(problem["ctx"]["error"])
        first = _FIELD_FIRST.match(message)
        return f"{where}.{message}" if first and first[1] in _fields(place) else f"{where}: {message}"
    described = describe_allowed(place.type, place.constraints)
    hint = did_you_mean(found, get_args(_unwrap(place.type, ())[0])) if kind == "literal_error" else ""
    return f"{where}: found {shown(found)}; {hint}allowed: {described}"


def _describe_tag(found: Any, place: Place, where: str) -> str:
    annotation, constraints = _unwrap(place.type, place.constraints)
    tag = _discriminator(constraints) or "kind"
    names = _tags(get_args(annotation), tag)
    if not isinstance(found, dict) or tag not in found:
        keys = ", ".join(map(shown_plainly, found)) if isinstance(found, dict) and found else "nothing"
        return f"{where}.{tag}: missing next to {keys}; allowed: {', '.join(names)}"
    return f"{where}.{tag}: found {shown(found[tag])}; {did_you_mean(found[tag], names)}allowed: {', '.join(names)}"


def _locate(model: type[BaseModel], loc: Sequence[int | str]) -> Place:
    """Follow pydantic's location, which also names the branch of a union that was taken."""
    path: list[str] = []
    annotation: Any = model
    constraints: tuple[Any, ...] = ()
    for number, part in enumerate(loc):
        place = annotation, constraints
        annotation, constraints = _unwrap_optional(annotation, constraints)
        if branches := _not_null(annotation):
            tag = _discriminator(constraints)
            if tag is None and number == len(loc) - 1:
                annotation, constraints = place  # each branch has refused the value: what the union takes is stated once
                break
            taken = (one for one in branches if (tag and part in _tags([one], tag)) or part == getattr(one, "__name__", None))
            annotation, constraints = next(taken, object), ()
            continue
        path.append(str(part))
        origin, arguments = get_origin(annotation), get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and part in annotation.model_fields:
            field = annotation.model_fields[str(part)]
            annotation, constraints = field.annotation, _constraints(field)
        elif origin in (list, dict):
            annotation, constraints = arguments[-1], ()
        else:
            annotation, constraints = object, ()
    return Place(".".join(path), annotation, constraints)


def _unwrap(annotation: Any, constraints: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """(the type itself, all constraints) of Annotated types, however they are nested."""
    while get_origin(annotation) is Annotated:
        annotation, *added = get_args(annotation)
        for one in added:
            constraints = (*constraints, *(_constraints(one) if isinstance(one, FieldInfo) else (one,)))
    return annotation, constraints


def _unwrap_optional(annotation: Any, constraints: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """As `_unwrap`, of a type or null: the type."""
    annotation, constraints = _unwrap(annotation, constraints)
    while len(some := _not_null(annotation)) == 1:
        annotation, constraints = _unwrap(some[0], constraints)
    return annotation, constraints


def _not_null(annotation: Any) -> list[Any]:
    """The branches of a union but null; none of what is no union."""
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return [one for one in get_args(annotation) if one is not type(None)] if is_union else []


def _constraints(field: FieldInfo) -> tuple[Any, ...]:
    return (*field.metadata, field) if field.discriminator else tuple(field.metadata)


def _discriminator(constraints: Sequence[Any]) -> str | None:
    return next((str(one.discriminator) for one in constraints if isinstance(one, FieldInfo)), None)


def _tags(models: Sequence[Any], tag: str) -> list[str]:
    """Values of the field by which the models of a union differ; a union of unions is looked through."""
    names: list[str] = []
    for one in models:
        one, _ = _unwrap(one, ())
        if isinstance(one, type) and issubclass(one, BaseModel):
            names += map(str, get_args(one.model_fields[tag].annotation))
        elif one is not type(None):
            names += _tags(get_args(one), tag)
    return names


def _fields(place: Place) -> list[str]:
    annotation, _ = _unwrap(place.type, ())
    candidates = [annotation, *get_args(annotation)]
    models = [one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)]
    return [name for model in models[:1] for name in own_fields(model)]


def _bounds(constraints: Sequence[Any]) -> str:
    lower = next((one for one in constraints if isinstance(one, Ge | Gt)), None)
    upper = next((one for one in constraints if isinstance(one, Le | Lt)), None)
    if isinstance(lower, Ge) and isinstance(upper, Le):
        return f" from {lower.ge} to {upper.le}"
    words = []
    if lower is not None:
        words.append(f"from {lower.ge}" if isinstance(lower, Ge) else f"above {lower.gt}")
    if upper is not None:
        words.append(f"at most {upper.le}" if isinstance(upper, Le) else f"below {upper.lt}")
    return f" {' and '.join(words)}" if words else ""


def _pattern(constraints: Sequence[Any]) -> str:
    patterns = [one.pattern for one in constraints if getattr(one, "pattern", None)]
    if patterns:
        return f" of the form {patterns[0]}"
    return ", not empty" if any(isinstance(one, MinLen) and one.min_length for one in constraints) else ""


def _at_least(constraints: Sequence[Any]) -> str:
    shortest = next((one.min_length for one in constraints if isinstance(one, MinLen)), 0)
    longest = next((one.max_length for one in constraints if isinstance(one, MaxLen)), None)
    words = ([f"{shortest} or more"] if shortest else []) + ([f"{longest} at most"] if longest is not None else [])
    return f" ({', '.join(words)})" if words else ""

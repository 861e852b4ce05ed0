"""Prints the reference of params.yaml: each field with its value, what it allows, and its documentation.

in: the models of snowcoder.configuration.sections, params.yaml  out: text on standard output, as wide as the terminal (120 columns at most)
Run by `make params`, for one section by `make params SECTION=pretrain`. An item's field is shown once, with the value of every item.
"""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from snowcoder.configuration.sections import SECTIONS
from snowcoder.errors import ParameterError
from snowcoder.pipeline.param_faults import describe_allowed, did_you_mean, shown_plainly
from snowcoder.pipeline.params import PARAMS_PATH, read_yaml
from snowcoder.pipeline.references import own_fields
from snowcoder.pipeline.stage import run_tool

MAX_WIDTH = 120
INDENT = "    "


class Entry(NamedTuple):
    """One field. path: dotted, `<name>` for the name of an item; kinds: of the mapping it belongs to, where several are allowed."""

    path: str
    kinds: tuple[str, ...]
    field: FieldInfo
    note: str


def entries(model: type[BaseModel], path: str, kind: str, seen: dict[str, str]) -> Iterator[Entry]:
    """Every field of a model and of the models in it, in their order. seen: where in the section a choice of mappings was shown."""
    for name in own_fields(model):
        field, place = model.model_fields[name], f"{path}.{name}" if path else name
        inner = _models(field.annotation)
        choice = ", ".join(one.__name__ for one, _ in inner)
        note = f" Its fields are those of {seen[choice]}." if len(inner) > 1 and choice in seen else ""
        yield Entry(place, (kind,) if kind else (), field, note)
        if not note:
            for one, suffix in inner:
                seen.setdefault(choice, f"{place}{suffix}")
                yield from entries(one, f"{place}{suffix}", _kind(one) or kind, seen)


def reference(section: str, params: dict[str, Any], width: int) -> str:
    """The entries of one section as text, no line longer than `width`."""
    model = SECTIONS[section]
    lines = [section, *_wrapped(" ".join((model.__doc__ or "").split("\n\n")[0].split()), INDENT, width)]
    for entry in _joined(list(entries(model, "", "", {}))):
        kinds = f" [kind: {', '.join(entry.kinds)}]" if entry.kinds else ""
        lines += ["", *_wrapped(f"{entry.path}{kinds}{_value(entry, params[section])}", "  ", width, INDENT * 2)]
        lines += _wrapped(_allowed(entry.field) + _default(entry.field), INDENT, width)
        lines += _wrapped(" ".join((entry.field.description or "").split()) + entry.note, INDENT, width)
    return "\n".join(lines) + "\n"


def _joined(found: list[Entry]) -> list[Entry]:
    """Fields that mappings of several kinds have alike, once."""
    joined: dict[tuple[str, str, str], Entry] = {}
    for entry in found:
        key = entry.path, _allowed(entry.field), str(entry.field.description)
        joined[key] = entry._replace(kinds=(*(joined[key].kinds if key in joined else ()), *entry.kinds))
    return list(joined.values())


def _models(annotation: Any, suffix: str = "") -> list[tuple[type[BaseModel], str]]:
    """(model, what follows the field in the path) of each model that a field can hold."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, suffix)]
    if origin is dict:
        return _models(arguments[1], f"{suffix}.<name>")
    if origin is list:
        return _models(arguments[0], f"{suffix}[]")
    if origin in (Union, UnionType):
        return [found for argument in arguments for found in _models(argument, suffix)]
    return _models(arguments[0], suffix) if origin is Annotated else []


def _kind(model: type[BaseModel]) -> str:
    """The value of field `kind` that chooses this model among others, or ''."""
    kinds = get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
    return kinds[0] if len(kinds) == 1 else ""


def _value(entry: Entry, params: Any) -> str:
    """` = 3`, or ` = 3 (general), 4 (continued)` of items; nothing for mappings and what params.yaml does not have."""
    items_by_value: dict[str, list[str]] = {}
    for item, value in _values(params, entry.path.split("."), "", entry.kinds):
        items_by_value.setdefault(shown_plainly(value), []).append(item)
    if len(items_by_value) < 2:
        return "".join(f" = {value}" for value in items_by_value)
    return " = " + ", ".join(f"{value} ({', '.join(items)})" for value, items in items_by_value.items())


def _values(node: Any, path: list[str], item: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """(item, value) of what is at `path`; lists of mappings, and mappings of another kind, are skipped."""
    if not path:
        if not isinstance(node, dict):
            yield item, node
    elif isinstance(node, dict) and (not kinds or "kind" not in node or node["kind"] in kinds):
        step, *rest = path
        if step == "<name>":
            for name, value in node.items():
                yield from _values(value, rest, name, kinds)
        elif step in node:
            yield from _values(node[step], rest, item, kinds)


def _allowed(field: FieldInfo) -> str:
    return describe_allowed(field.annotation, [*field.metadata, *([field] if field.discriminator else [])])


def _default(field: FieldInfo) -> str:
    return "" if field.default in (PydanticUndefined, ...) else f"; default: {shown_plainly(field.default)}"


def _wrapped(text: str, indent: str, width: int, next_indent: str | None = None) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=next_indent or indent, break_on_hyphens=False)


def main() -> None:
    """Print the sections that are asked for; all without a name."""
    sections = sys.argv[1:] or list(SECTIONS)
    unknown = [section for section in sections if section not in SECTIONS]
    if unknown:
        hint = did_you_mean(unknown[0], SECTIONS)
        raise ParameterError(f"SECTION: found {unknown[0]!r}; {hint}allowed: {', '.join(SECTIONS)}")
    width = min(MAX_WIDTH, shutil.get_terminal_size((MAX_WIDTH, 24)).columns)
    params = read_yaml(PARAMS_PATH)
    print("\n".join(reference(section, params, width) for section in sections), end="")


if __name__ == "__main__":
    run_tool(main)

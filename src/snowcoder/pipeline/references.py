"""Fields whose value another section of params.yaml holds, so that it is written once.

`vocab_size: Annotated[int, ReadFrom("train_tokenizer.vocab_size")]` is no key of its own section: loading the section fills it in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class ReadFrom:
    """path: dotted, in params.yaml; a `{name}` in it is the value of the field `name` next to the marked one."""

    path: str


@dataclass(frozen=True)
class Reference:
    """One such field of a section.

    source: the path that it is read from; value: there, or None. found: what the section itself has for it, where there must be nothing.
    chosen_by: the field next to it that names a part of the path, or ''; chosen, allowed: its value, and which ones there are.
    """

    field: str
    source: str
    value: Any
    found: Any
    chosen_by: str
    chosen: Any
    allowed: tuple[str, ...]

    @property
    def is_odd_choice(self) -> bool:
        """Whether the field next to it names something that is not there."""
        return bool(self.chosen_by) and self.chosen not in self.allowed


def own_fields(model: type[BaseModel]) -> list[str]:
    """The fields that a section of params.yaml holds itself."""
    return [name for name in model.model_fields if _path(model, name) is None]


def resolve(raw: Any, model: type[BaseModel], sections: Mapping[str, Any], field: str) -> tuple[Any, list[Reference]]:
    """(`raw` with the values that its fields read from `sections`, as far as they exist; the references)."""
    if not isinstance(raw, dict):
        return raw, []
    filled, references = dict(raw), []
    for name, info in model.model_fields.items():
        if path := _path(model, name):
            reference = _reference(path, raw, sections, field, name)
            references.append(reference)
            filled |= {name: reference.value} if reference.value is not None else {}
        elif isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel) and name in raw:
            filled[name], inner = resolve(raw[name], info.annotation, sections, f"{field}.{name}")
            references += inner
    return filled, references


def _path(model: type[BaseModel], name: str) -> str | None:
    return next((mark.path for mark in model.model_fields[name].metadata if isinstance(mark, ReadFrom)), None)


def _reference(path: str, raw: Mapping[str, Any], sections: Mapping[str, Any], field: str, name: str) -> Reference:
    before, _, rest = path.partition("{")
    choice, _, after = rest.partition("}")
    source = f"{before}{raw.get(choice)}{after}" if choice else path
    allowed = tuple(map(str, _value_at(sections, before.rstrip(".")) or ())) if choice else ()
    chosen_by = f"{field}.{choice}" if choice else ""
    return Reference(f"{field}.{name}", source, _value_at(sections, source), raw.get(name), chosen_by, raw.get(choice), allowed)


def _value_at(sections: Mapping[str, Any], path: str) -> Any:
    value: Any = sections
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value

"""References: fields of params.yaml whose value is written once, in another section.

`vocab_size: Annotated[int, ReadFrom("train_tokenizer.vocab_size")]` is no key of its section: loading the section fills it in.
"""

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class ReadFrom:
    """path: dotted, in params.yaml; a `{name}` in it is the value of the field `name` next to the marked one."""

    path: str


def source_path(model: type[BaseModel], field: str) -> str | None:
    """Where a field of `model` is read from; None if its own section holds it."""
    return next((mark.path for mark in model.model_fields[field].metadata if isinstance(mark, ReadFrom)), None)


def own_fields(model: type[BaseModel]) -> list[str]:
    """The fields that a section of params.yaml holds itself."""
    return [name for name in model.model_fields if source_path(model, name) is None]

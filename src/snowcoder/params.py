"""Loads params.yaml and validates one section against the model that its component owns.

YAML 1.2 (ruamel): `1e-05`, as `dvc exp run -S` writes it, is a float. A section is either plain, or holds shared keys and one mapping
per item of its stage (`pretrain.compile`, `pretrain.general`): see load_item.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from snowcoder.errors import ParameterError

PARAMS_PATH = Path("params.yaml")


class ParamsModel(BaseModel):
    """Base of all parameter models: unknown keys are refused, values are not coerced across types, instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=ParamsModel)
N = TypeVar("N", bound=ParamsModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """The whole file as plain dicts, lists and scalars. Raises ParameterError if it is missing or not a mapping."""
    try:
        loaded = YAML(typ="safe", pure=True).load(path.read_text())
    except FileNotFoundError as error:
        raise ParameterError(f"{path}: not found; run from the root of the repository") from error
    except YAMLError as error:
        raise ParameterError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(loaded, dict):
        raise ParameterError(f"{path}: expected a mapping of sections, found {type(loaded).__name__}")
    return loaded


def load_section(section: str, model: type[M], path: Path = PARAMS_PATH) -> M:
    """Section `section` of `path` as `model`. Raises ParameterError naming file, field, found and allowed."""
    return validate(_section(section, path), model, section, path)


def load_item(section: str, item: str, shared: type[M], model: type[N], path: Path = PARAMS_PATH) -> tuple[M, N]:
    """(shared keys, the mapping of `item`) of a section with items. Every other item is validated too."""
    raw = _section(section, path)
    shared_raw = {key: value for key, value in raw.items() if key in shared.model_fields or not isinstance(value, dict)}
    items = {key: value for key, value in raw.items() if key not in shared_raw}
    if item not in items:
        raise ParameterError(f"{path}: {section}.{item}: missing; items found: {', '.join(sorted(items)) or 'none'}")
    validated = {key: validate(value, model, f"{section}.{key}", path) for key, value in items.items()}
    return validate(shared_raw, shared, section, path), validated[item]


def validate(raw: Any, model: type[M], field: str, path: Path = PARAMS_PATH) -> M:
    """`raw` as `model`; errors are told in the user's terms."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        lines = [_explain(problem, model, field) for problem in error.errors()]
        raise ParameterError("\n".join(f"{path}: {line}" for line in lines)) from error


def _section(section: str, path: Path) -> dict[str, Any]:
    loaded = read_yaml(path)
    if section not in loaded:
        raise ParameterError(f"{path}: section {section} is missing; sections found: {', '.join(sorted(loaded))}")
    if not isinstance(loaded[section], dict):
        raise ParameterError(f"{path}: {section}: expected a mapping, found {loaded[section]!r}")
    return loaded[section]


def _explain(problem: Any, model: type[ParamsModel], field: str) -> str:
    where = ".".join([field, *(str(part) for part in problem["loc"])])
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown parameter (found {problem['input']!r}); allowed: {', '.join(model.model_fields)}"
    if problem["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {problem['msg']} (found {problem['input']!r})"

"""Loads params.yaml and validates one section against the model that its component owns.

YAML 1.2 (ruamel): `1e-05`, as `dvc exp run -S` writes it, is a float. A section is either plain, or has two keys: `shared`, and one that
maps each item of its stage to its own values (`pretrain.shared`, `pretrain.variants`): see load_item. The whole file is checked by
snowcoder.configuration.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from snowcoder.errors import ParameterError
from snowcoder.pipeline.param_faults import describe_allowed, describe_faults, did_you_mean, shown
from snowcoder.pipeline.param_limits import first_beyond, limit_of_elements, with_limits
from snowcoder.pipeline.references import source_path

PARAMS_PATH = Path("params.yaml")
UNNAMED = "\0"  # in a path: a part whose name is missing, which is a fault of its own
SHARED = "shared"  # key of what all items of a section have in common


class MustExist:
    """Marks a field that names a file or folder which a person provides: see snowcoder.configuration.named_files."""


ExistingPath = Annotated[str, MustExist()]


class ParamsModel(BaseModel):
    """Base of all parameter models: refuses unknown keys, numbers that are not finite or beyond param_limits.py, negative seeds; does not
    convert types; instances are frozen.

    A validator of several fields begins its message with the faulty field: `heads: found 3; allowed: …`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)

    @field_validator("*")
    @classmethod
    def _within_limits(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        if (found := first_beyond(name, value)) is not None:
            field = cls.model_fields[name]
            allowed = describe_allowed(field.annotation, with_limits(name, list(field.metadata)))
            raise ValueError(f"found {shown(found)}; allowed: {allowed}{limit_of_elements(name, value, found)}")
        return value


M = TypeVar("M", bound=ParamsModel)
N = TypeVar("N", bound=ParamsModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """The whole file as plain dicts, lists and scalars. Raises ParameterError if it is missing or not a mapping."""
    loaded = _parse(path)
    if not isinstance(loaded, dict):
        found = "nothing" if loaded is None else type(loaded).__name__
        raise ParameterError(
            f"{path}: expected a mapping of sections, found {found}; `git checkout {path.name}` restores the committed one"
        )
    return loaded


def load_section(section: str, model: type[M], path: Path = PARAMS_PATH) -> M:
    """The mapping at the dotted path `section` as `model`. Raises ParameterError naming file, field, found and allowed."""
    sections = read_yaml(path)
    return validate(read_section(sections, section, path), model, section, path, sections)


def load_item(section: str, item: str, shared: type[M], model: type[N], path: Path = PARAMS_PATH) -> tuple[M, N]:
    """(shared values, those of `item`) of a section with items. Every other item is validated too."""
    sections = read_yaml(path)
    field, items = read_items(sections, section, path)
    if item not in items:
        raise ParameterError(f"{path}: {field}.{item}: missing; items found: {', '.join(map(str, items)) or 'none'}")
    validated = _validate_items(sections, section, model, path)
    field = f"{section}.{SHARED}"
    return validate(read_section(sections, field, path), shared, field, path, sections), validated[item]


def load_items(section: str, model: type[N], path: Path = PARAMS_PATH) -> dict[str, N]:
    """The values of every item of a section with items, in the order of the file."""
    return _validate_items(read_yaml(path), section, model, path)


def _validate_items(sections: dict[str, Any], section: str, model: type[N], path: Path) -> dict[str, N]:
    field, items = read_items(sections, section, path)
    return {name: validate(raw, model, f"{field}.{name}", path, sections) for name, raw in items.items()}


def item_names(section: str, path: Path = PARAMS_PATH) -> list[str]:
    """The items of a section with items, in the order of the file."""
    return list(read_items(read_yaml(path), section, path)[1])


def validate(raw: Any, model: type[M], field: str, path: Path = PARAMS_PATH, sections: Mapping[str, Any] | None = None) -> M:
    """`raw` as `model`, with what it reads from other `sections`. Raises ParameterError with a line for each fault, in the user's terms."""
    checked, faults = check(raw, model, field, sections)
    if checked is None:
        raise ParameterError("\n".join(f"{path}: {fault}" for fault in faults))
    return checked


def check(raw: Any, model: type[M], field: str, sections: Mapping[str, Any] | None) -> tuple[M | None, list[str]]:
    """(`raw` as `model`, or None; a line for each fault). A fault of a value that another section holds names that section."""
    filled, sources, faults = _resolve(raw, model, field, sections) if sections else (raw, {}, [])
    if faults:
        return None, faults
    try:
        return model.model_validate(filled), []
    except ValidationError as error:
        faults = describe_faults(error, model, field)
    for name, source in sources.items():
        faults = [source + fault.removeprefix(name) if fault.startswith(f"{name}: ") else fault for fault in faults]
    return None, [fault for fault in faults if UNNAMED not in fault]


def _resolve(raw: Any, model: type[BaseModel], field: str, sections: Mapping[str, Any]) -> tuple[Any, dict[str, str], list[str]]:
    """(`raw` with the values that its fields read from other sections, {field: the path it is read from}, faults)."""
    if not isinstance(raw, dict):
        return raw, {}, []
    filled, sources, faults = dict(raw), {}, []
    for name, info in model.model_fields.items():
        if path := source_path(model, name):
            source = sources[f"{field}.{name}"] = path.format_map(defaultdict(lambda: UNNAMED, raw))
            value = _value_at(sections, source)
            if name in raw:
                faults.append(f"{field}.{name}: found {shown(raw[name])}; allowed: no such key, as {source} holds the value; remove it")
            elif value is not None:
                filled[name] = value
            elif "{" in path:
                faults += _odd_name(path, raw, field, sections)
        elif isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel) and name in raw:
            filled[name], inner_sources, inner_faults = _resolve(raw[name], info.annotation, f"{field}.{name}", sections)
            sources, faults = sources | inner_sources, faults + inner_faults
    return filled, sources, faults


def _odd_name(path: str, raw: dict[str, Any], field: str, sections: Mapping[str, Any]) -> list[str]:
    """The fault of a value that names no part of `sections`: `{name}` in `path`."""
    before, name = path.split("}")[0].split("{")
    allowed = list(map(str, _value_at(sections, before.rstrip(".")) or ()))
    if name not in raw or raw[name] in allowed or not allowed:  # without any, the fault is that section's
        return []
    return [f"{field}.{name}: found {shown(raw[name])}; {did_you_mean(raw[name], allowed)}allowed: {', '.join(allowed)}"]


def _value_at(sections: Mapping[str, Any], path: str) -> Any:
    value: Any = sections
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def read_section(sections: dict[str, Any], section: str, path: Path) -> dict[str, Any]:
    """The mapping at a dotted path. Raises ParameterError if it is missing, empty or something else."""
    found, parents = sections, ""
    for key in section.split("."):
        if key not in found:
            others = ", ".join(sorted(map(str, found)))
            hint = did_you_mean(key, found, "is it the misspelt {}? ")
            raise ParameterError(f"{path}: section {parents}{key} is missing; {hint}sections found: {others}")
        if not isinstance(found[key], dict):
            raise ParameterError(f"{path}: {parents}{key}: expected a mapping, found {shown(found[key])}")
        found, parents = found[key], f"{parents}{key}."
    return found


def read_items(sections: dict[str, Any], section: str, path: Path) -> tuple[str, dict[str, Any]]:
    """(dotted path of the items of a section with items, the items as read). Raises ParameterError if it is no such section."""
    keys = [str(key) for key in read_section(sections, section, path)]
    names = [key for key in keys if key != SHARED]
    if SHARED not in keys or len(names) != 1:
        raise ParameterError(f"{path}: {section}: found {', '.join(keys) or 'nothing'}; allowed: {SHARED}, and one mapping of items")
    return f"{section}.{names[0]}", read_section(sections, f"{section}.{names[0]}", path)


def _parse(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ParameterError(f"{path}: not found; run from the root of the repository") from error
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return YAML(typ="safe", pure=True).load(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ParameterError(f"{path}:{line}: not UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8") from error
    except DuplicateKeyError as error:
        raise ParameterError(f"{path}{_line(error)}: {str(error.problem).split(' with')[0]}: occurs twice; keep one") from error
    except MarkedYAMLError as error:
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        if "'\\t'" in reason:
            raise ParameterError(f"{path}{_line(error)}: not valid YAML: found a tab; allowed: blanks") from error
        raise ParameterError(f"{path}{_line(error)}: not valid YAML: {reason}; `git diff {path.name}` shows what changed") from error
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        # a date that does not exist, a number of thousands of digits, a character that YAML forbids
        raise ParameterError(f"{path}: not valid YAML: {' '.join(str(error).split(';')[0].split())}") from error


def _line(error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f":{mark.line + 1}" if mark else ""

"""Loads params.yaml and validates one section against the model that its component owns.

YAML 1.2 (ruamel): `1e-05`, as `dvc exp run -S` writes it, is a float. A section is either plain, or holds shared keys and one mapping
per item of its stage (`pretrain.compile`, `pretrain.general`): see load_item. The whole file is checked by snowcoder.configuration.
"""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from snowcoder.errors import ParameterError
from snowcoder.pipeline.param_faults import describe_faults, did_you_mean, shown

PARAMS_PATH = Path("params.yaml")


class MustExist:
    """Marks a field that names a file or folder which a person provides: see snowcoder.configuration.named_files."""


ExistingPath = Annotated[str, MustExist()]


class ParamsModel(BaseModel):
    """Base of all parameter models: unknown keys and numbers that are not finite are refused, values are not coerced across types,
    instances are frozen.

    A validator of more than one field begins its message with the field at fault: `heads: found 3; allowed: …`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


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
    """Section `section` of `path` as `model`. Raises ParameterError naming file, field, found and allowed."""
    return validate(read_section(read_yaml(path), section, path), model, section, path)


def load_item(section: str, item: str, shared: type[M], model: type[N], path: Path = PARAMS_PATH) -> tuple[M, N]:
    """(shared keys, the mapping of `item`) of a section with items. Every other item is validated too."""
    raw = read_section(read_yaml(path), section, path)
    shared_raw = {key: value for key, value in raw.items() if key in shared.model_fields or not isinstance(value, dict)}
    items = {key: value for key, value in raw.items() if key not in shared_raw}
    if item not in items:
        raise ParameterError(f"{path}: {section}.{item}: missing; items found: {', '.join(map(str, items)) or 'none'}")
    validated = {key: validate(value, model, f"{section}.{key}", path) for key, value in items.items()}
    return validate(shared_raw, shared, section, path), validated[item]


def validate(raw: Any, model: type[M], field: str, path: Path = PARAMS_PATH) -> M:
    """`raw` as `model`. Raises ParameterError with a line for each fault, in the user's terms."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise ParameterError("\n".join(f"{path}: {line}" for line in describe_faults(error, model, field))) from error


def read_section(sections: dict[str, Any], section: str, path: Path) -> dict[str, Any]:
    """The mapping of one section. Raises ParameterError if it is missing, empty or something else."""
    if section not in sections:
        others = ", ".join(sorted(map(str, sections)))
        hint = did_you_mean(section, sections, "is it the misspelt {}? ")
        raise ParameterError(f"{path}: section {section} is missing; {hint}sections found: {others}")
    if not isinstance(sections[section], dict):
        raise ParameterError(f"{path}: {section}: expected a mapping, found {shown(sections[section])}")
    return sections[section]


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
        raise ParameterError(f"{path}{_line(error)}: {str(error.problem).split(' with')[0]}: it is there twice; keep one") from error
    except MarkedYAMLError as error:
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise ParameterError(f"{path}{_line(error)}: not valid YAML: {reason}; `git diff {path.name}` shows what has changed") from error
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        # a date that does not exist, a number of thousands of digits, a character that no YAML may hold
        raise ParameterError(f"{path}: not valid YAML: {' '.join(str(error).split(';')[0].split())}") from error


def _line(error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f":{mark.line + 1}" if mark else ""

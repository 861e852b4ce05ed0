"""Finds files and folders that params.yaml names but that do not exist, before the first stage runs."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from snowcoder.corpus.source_paths import source_path
from snowcoder.errors import SourceError
from snowcoder.pipeline.param_faults import shown
from snowcoder.pipeline.params import MustExist, ParamsModel
from snowcoder.storage.workspace import is_copy, original_root


def missing_files(sections: Mapping[str, ParamsModel], root: Path) -> Iterator[str]:
    """A line for each field of type ExistingPath whose file is not there. root: of the repository; URLs are left to their stage."""
    for field, value in _paths(sections.items()):
        if not value:
            yield f"{field}: found {shown(value)}; allowed: an existing file or folder"
        elif "://" not in value:
            yield from _missing(field, value, root)


def _missing(field: str, value: str, root: Path) -> Iterator[str]:
    try:
        if not (root / source_path(value)).exists():
            where = original_root() if is_copy() else root.resolve()  # a copy only exists during its experiment
            yield f"{field}: found {shown(value)}, which does not exist in {where}; allowed: an existing file or folder"
    except SourceError as error:  # there, but not in the copy in which an experiment runs
        yield f"{field}: {error}"


def _paths(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in named:
        if isinstance(value, ParamsModel):
            fields = type(value).model_fields
            for key, inner in value:
                if isinstance(inner, str) and _is_path(fields[key]):
                    yield f"{name}.{key}", inner
                else:
                    yield from _paths([(f"{name}.{key}", inner)])
        elif isinstance(value, list):
            yield from _paths((f"{name}.{index}", inner) for index, inner in enumerate(value))


def _is_path(field: FieldInfo) -> bool:
    """`path: ExistingPath` keeps the mark as metadata of the field, `path: ExistingPath | None` as that of a branch."""
    branches = get_args(field.annotation)
    return any(isinstance(mark, MustExist) for mark in (*field.metadata, *(one for branch in branches for one in get_args(branch))))

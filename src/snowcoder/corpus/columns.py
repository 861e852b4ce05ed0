"""Maps the columns of a data set, flat or nested, to the fields of a file, and explains missing columns.

in: rows as dicts  out: mappings with the keys of Columns, one per file. A row may be a repository that holds a list of files
(`rows: files`); it then gives a mapping per file, and the columns of the repository can be named too.

Names: `a.b` is the key b of the struct a. With `rows: files` a plain name is a file's own key, or the row's where files have no such key;
`files.path` is a file's own key alone, `..path` the row's alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from snowcoder.corpus.repository_limits import LeftOut, Refused
from snowcoder.errors import SourceError
from snowcoder.pipeline.params import ParamsModel

# After this many rows without content, its absence is an error
FIRST_ROWS = 1000
ELEMENT = "[]"  # the key of a list's elements in Keys
MAX_KEYS = 50  # of a level, in a message
Keys = dict[str, Any]  # key -> keys of the struct there; of a list of structs {ELEMENT: keys}
_MISSING: Any = object()
_STORED_ELSEWHERE = ("blob_id", "content_id", "swhid")


class Columns(ParamsModel):
    """Names of a data set's columns; null for what it does not have."""

    content: str = "content"
    """The file's text or bytes."""
    repository: str | None = None
    """The repository; a row without one is a repository by itself."""
    path: str | None = None
    """The path in the repository; without it, a name is made from the content's hash."""
    language: str | None = None
    """The language, as the data set calls it; without it, found from path and content."""
    licence: str | None = None
    """The licence: SPDX, a name, or a list of which all hold (snowcoder.source_files.licences)."""
    popularity: str | None = None
    """A number, such as stars; a higher one is more popular."""
    revision: str | None = None
    """The commit; without it, the data set's revision."""
    statement: str | None = None
    """Of instruction data, what the content answers; it is put before the content (snowcoder.corpus.instructions)."""


@dataclass(frozen=True)
class Layout:
    """How the rows of a data set are laid out. rows: the column that holds a list of files; None where a row is a file."""

    columns: Columns
    rows: str | None = None

    @cached_property
    def named(self) -> dict[str, str]:
        """The data set's column by each key of Columns that it has."""
        return {key: name for key, name in self.columns.model_dump().items() if name is not None}

    def files(self, row: Mapping[str, Any]) -> Iterator[dict[str, Any] | Refused]:
        """A mapping per file of one row; values that are not there are left out of it."""
        if self.rows is None:
            yield self._mapped(row, row)
            return
        elements = _as_list(_find(row, self.rows))
        if not elements:
            yield Refused("no_files", f"{self.rows} of {self._mapped(row, row).get('repository', 'a row')}")
        for element in elements or ():
            yield self._mapped(element, row) if isinstance(element, Mapping) else Refused("malformed_row", type(element).__name__)

    @cached_property
    def paths(self) -> set[str]:
        """Every dotted path, from the top of a row, under which a named column may be."""
        found = set()
        for name in self.named.values():
            if self.rows is None or name.startswith((f"{self.rows}.", "..")):
                found.add(name.removeprefix(".."))
            else:
                found |= {name, f"{self.rows}.{name}"}
        return found

    def top_level(self, there: Iterable[str]) -> list[str]:
        """The top-level columns to read, of those that are there."""
        return [name for name in there if any(path == name or path.startswith(f"{name}.") for path in self.paths)]

    def missing(self, keys: Keys) -> dict[str, str]:
        """The named columns that rows with these keys cannot have."""
        if self.rows is not None and self._element_keys(keys) is None:
            return {"rows": self.rows}
        return {key: name for key, name in self.named.items() if self._look_up(name, keys) is _MISSING}

    def explain(self, missing: Mapping[str, str], keys: Keys, where: str) -> str:
        """What is missing, the keys of the level where it was looked for, and what to do."""
        if "rows" in missing and _find(keys, missing["rows"]) is not _MISSING:
            return f"{where}: {missing['rows']} is not a list of structs; fix fetch_corpus.source.rows, which names one, or null"
        names = ", ".join(missing.values())
        levels = {level: found for name in missing.values() for level, found in self._levels(name, keys).items()}
        found = "; ".join(f"found{level}: {', '.join(sorted(level_keys)[:MAX_KEYS])}" for level, level_keys in levels.items())
        message = f"{where}: columns missing: {names}; {found}; fix fetch_corpus.source.{'rows' if 'rows' in missing else 'columns'}"
        lists = sorted(name for name, inner in keys.items() if isinstance(inner, dict) and ELEMENT in inner)
        if self.rows is None and lists and any(name.split(".")[0] in lists or "content" in missing for name in missing.values()):
            message += f"; {lists[0]} holds a list of structs: `rows: {lists[0]}` takes each as a file"
        elsewhere = sorted({name for level in levels.values() for name in level if name in _STORED_ELSEWHERE})
        if "content" in missing and elsewhere:
            message += (
                f"; {elsewhere[0]} means that the contents are stored elsewhere (The Stack v2's at Software Heritage, "
                "s3://softwareheritage/content/<blob_id>, gzipped, in the encoding src_encoding): download them as the data set's "
                "card says, write them to a column of these rows, and read those"
            )
        return message

    def _mapped(self, file: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        if self.rows is None:
            found = {key: _find(row, name) for key, name in self.named.items()}
        else:
            found = {key: self._find_nested(name, file, row) for key, name in self.named.items()}
        return {key: value for key, value in found.items() if value is not _MISSING}

    def _find_nested(self, name: str, file: Any, row: Any) -> Any:
        if name.startswith(".."):
            return _find(row, name[2:])
        if name.startswith(f"{self.rows}."):
            return _find(file, name.removeprefix(f"{self.rows}."))
        value = _find(file, name)
        return _find(row, name) if value is _MISSING else value

    def _look_up(self, name: str, keys: Keys) -> Any:
        return _find(keys, name) if self.rows is None else self._find_nested(name, self._element_keys(keys), keys)

    def _element_keys(self, keys: Keys) -> Keys | None:
        found = _find(keys, self.rows or "")
        return found.get(ELEMENT) if isinstance(found, dict) else None

    def _levels(self, name: str, keys: Keys) -> dict[str, Keys]:
        """Where a name was looked for: {" in an element of files": keys}."""
        element = self._element_keys(keys) if self.rows is not None else None
        if element is not None and not name.startswith(".."):
            inner = {f" in an element of {self.rows}": element}
            return inner if name.startswith(f"{self.rows}.") else inner | {" in its row": keys}
        head = name.removeprefix("..").rpartition(".")[0]
        struct = _find(keys, head) if head else _MISSING
        return {f" in {head}": struct} if isinstance(struct, dict) and ELEMENT not in struct else {"": keys}


class Sightings:
    """Collects the columns that rows without a schema have had so far; reports which named ones are in none of them."""

    def __init__(self, layout: Layout, where: str) -> None:
        self._layout = layout
        self._where = where
        self._keys: Keys = {}
        self._n_rows = 0
        self._never_seen = dict(layout.named)

    def add(self, row: Mapping[str, Any], files: Iterable[dict[str, Any] | Refused]) -> None:
        """Take note of one row. Raises SourceError if the first rows all lack the content."""
        self._n_rows += 1
        if not self._never_seen:
            return
        for file in files:
            if isinstance(file, dict):
                self._never_seen = {key: name for key, name in self._never_seen.items() if key not in file}
        if self._n_rows <= FIRST_ROWS:
            _merge(self._keys, keys_of_value(row))
        if self._n_rows == FIRST_ROWS:
            self._check()

    def finish(self, skipped: LeftOut) -> None:
        """After the last row. Raises SourceError if no row has the content; notes what no row has."""
        if not self._n_rows:
            return
        if self._n_rows < FIRST_ROWS:
            self._check()
        if self._never_seen:
            skipped.notes.append(f"none of {self._n_rows} rows has them: {self._layout.explain(self._never_seen, self._keys, self._where)}")

    def _check(self) -> None:
        if "content" in self._never_seen:
            rows = {key: name for key, name in self._layout.missing(self._keys).items() if key == "rows"}
            lacking = rows or {"content": self._never_seen["content"]}
            raise SourceError(self._layout.explain(lacking, self._keys, f"{self._where}: none of the first {self._n_rows} rows has it"))


def keys_of_type(kind: Any) -> Any:
    """Keys of an Arrow schema or struct, of a list's elements under ELEMENT; None for a value.

    A struct of several lists is also the list of structs that the datasets library stores in that way (its Sequence of a dict).
    """
    if isinstance(kind, pa.Schema | pa.StructType):
        keys = {field.name: keys_of_type(field.type) for field in kind}
        is_sequence = isinstance(kind, pa.StructType) and len(keys) > 1 and all(_is_list(field.type) for field in kind)
        return keys | ({ELEMENT: {field.name: keys_of_type(field.type.value_type) for field in kind}} if is_sequence else {})
    if _is_list(kind):
        inner = keys_of_type(kind.value_type)
        return {ELEMENT: inner} if isinstance(inner, dict) else None
    return None


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def keys_of_value(value: Any, depth: int = 3) -> Any:
    """The same of a value, to a depth."""
    if isinstance(value, Mapping) and depth:
        return {key: keys_of_value(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple) and any(isinstance(element, Mapping) for element in value) and depth:
        merged: Keys = {}
        for element in value:
            _merge(merged, keys_of_value(element, depth) or {})
        return {ELEMENT: merged}
    return None


def _merge(keys: Keys, more: Keys) -> None:
    for name, inner in more.items():
        if isinstance(inner, dict) and isinstance(keys.get(name), dict):
            _merge(keys[name], inner)
        elif isinstance(inner, dict) or name not in keys:
            keys[name] = inner


def _find(row: Any, name: str) -> Any:
    """The value of a name, `a.b` of nested mappings; a key that has the dots itself comes first."""
    if not isinstance(row, Mapping):
        return _MISSING
    if name in row:
        return row[name]
    head, dot, rest = name.partition(".")
    return _find(row[head], rest) if dot and head in row else _MISSING


def _as_list(value: Any) -> list[Any] | None:
    """A list of structs, also where a library gives it as a struct of lists; None for anything else."""
    if isinstance(value, Mapping) and value and all(isinstance(part, list) for part in value.values()):
        if len({len(part) for part in value.values()}) > 1:
            return None  # nobody knows which parts belong together
        return [dict(zip(value, parts, strict=True)) for parts in zip(*value.values(), strict=True)]
    return list(value) if isinstance(value, list | tuple) else None

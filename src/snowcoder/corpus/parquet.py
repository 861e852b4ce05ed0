"""Reads Parquet as a corpus: a file, or a folder's `.parquet` files in order of name; reads only the mapped columns.

Files of a folder may differ in their columns: what one of them lacks is null there, what all of them lack is an error.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snowcoder.corpus.columns import Keys, Layout, keys_of_type
from snowcoder.corpus.json_text import FOREIGN, HEAD_BYTES
from snowcoder.corpus.repository_limits import LeftOut
from snowcoder.corpus.source_paths import list_files
from snowcoder.errors import SourceError

ENDINGS = (".parquet", ".pq")
MAGIC = b"PAR1"
BATCH_ROWS = 256
BUFFER_BYTES = 1 << 20  # of a column as it is read: without, a row group of a column is held whole, and some are gigabytes
_LIST_LEVELS = re.compile(r"\.(?:list\.(?:element|item)|bag\.array_element|array(?=\.))")  # how writers of Parquet nest a list


def read_parquet(path: Path, layout: Layout, skipped: LeftOut) -> Iterator[dict[str, Any]]:
    """Rows of a file or folder. Raises SourceError naming the file that is missing or damaged, or the column that no file has."""
    files = list_files(path, ENDINGS, skipped)
    _check_columns(files, layout)
    batch_rows = BATCH_ROWS if layout.rows is None else 1  # a row that is a repository may be as large as a batch of files
    for file in files:
        with _opened(file) as opened:
            _check_names(opened.schema_arrow.names, layout, file)
            for batch in opened.iter_batches(batch_rows, columns=_leaves(opened, layout)):
                yield from _rows(batch)


def _check_columns(files: Sequence[Path], layout: Layout) -> None:
    """Raises SourceError if a named column is in no file; usually the first file answers for all."""
    first = _keys(files[0])
    missing = layout.missing(first)
    for file in files[1:]:
        if not missing:
            return
        missing = {key: name for key, name in missing.items() if key in layout.missing(_keys(file))}
    if missing:
        raise SourceError(layout.explain(missing, first, str(files[0])))


def _check_names(names: Sequence[str], layout: Layout, file: Path) -> None:
    """Raises SourceError if two columns that are to be read have one name: a reader that took the last would hide that they differ."""
    twice = sorted({name for name in layout.top_level(names) if names.count(name) > 1})
    if twice:
        raise SourceError(f"{file}: two columns are named {twice[0]}; rename one of them")


def _leaves(opened: pq.ParquetFile, layout: Layout) -> list[str]:
    """The columns of the file that hold a named one. Parts of a struct that nothing names are not read: they may be large."""
    names = [opened.schema.column(index).path for index in range(opened.metadata.num_columns)]
    wanted = [name for name in names if any(f"{_LIST_LEVELS.sub('', name)}.".startswith(f"{path}.") for path in layout.paths)]
    return wanted or names[:1]


def _keys(file: Path) -> Keys:
    with _opened(file) as opened:
        return keys_of_type(opened.schema_arrow) or {}


@contextmanager
def _opened(file: Path) -> Iterator[pq.ParquetFile]:
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            if not head.startswith(MAGIC):
                what = next((what for magic, what in FOREIGN.items() if head.startswith(magic)), None)
                found = f"it begins with {head[: len(MAGIC)]!r}); for JSON lines use `kind: jsonl`, else fetch it again"
                raise SourceError(f"{file}: not Parquet but {what}" if what else f"{file}: not Parquet ({found}")
            stream.seek(0)
            with pq.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False) as opened:
                yield opened
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file}: damaged or cut off ({error}); fetch it again") from error


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows as dicts; text that is not UTF-8 stays bytes, for the one row that has it to be counted."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        binary = [column.cast(_as_binary(column.type)) for column in batch.columns]
        for row in pa.RecordBatch.from_arrays(binary, names=batch.schema.names).to_pylist():
            yield _as_text(row)


def _as_binary(kind: pa.DataType) -> pa.DataType:
    """A type with bytes in the place of text."""
    if pa.types.is_string(kind):
        return pa.binary()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_as_binary(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_as_binary(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_as_binary(field.type)) for field in kind])
    return kind


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    return [_as_text(inner) for inner in value] if isinstance(value, list) else value

"""Parquet as a corpus: a file, or all `.parquet` files of a folder, in the order of their names; only the mapped columns are read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snowcoder.corpus.jsonl import list_files
from snowcoder.corpus.rows import Columns, check_columns
from snowcoder.errors import SourceError

BATCH_ROWS = 256


def read_parquet(path: Path, columns: Columns) -> Iterator[dict[str, Any]]:
    """Rows of a file or folder. Raises SourceError naming the file that is missing, damaged or lacks a column."""
    for file in list_files(path, (".parquet",)):
        try:
            with file.open("rb") as stream, pq.ParquetFile(stream) as opened:
                check_columns(columns, opened.schema_arrow.names, str(file))
                for batch in opened.iter_batches(BATCH_ROWS, columns=columns.named):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{file}: damaged or cut off ({error}); fetch it again") from error

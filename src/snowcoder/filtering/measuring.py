"""Measures one shard of files: every signal, and the content with personal data and secrets masked.

in: a table of SOURCE_FILE_SCHEMA  out: the same rows in the same order as MEASURED_SCHEMA: SourceFile columns, then
  <signal>              float64, null where it does not exist for the language: snowcoder.filtering.signals, and replacements_in_code
  masked_content        the content with stand-ins, null where nothing is replaced
  masked_<kind>         replacements in it, for each kind of snowcoder.filtering.masking
replacements_in_code is the number of replacements where they change more of a Python file than strings and comments (a variable whose name
has the form of a key), else 0. Nothing is dropped and no parameter is read: what the numbers mean for a file is filter_files' choice.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from snowcoder.filtering.masking import KINDS, mask
from snowcoder.filtering.python_syntax import code_tokens, syntax_error_lines
from snowcoder.filtering.signals import PYTHON, SIGNALS, SYNTAX_SIGNAL, measure
from snowcoder.pipeline.execution import ShardResult
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import read_table

SIGNAL_COLUMNS = (*SIGNALS, "replacements_in_code")
MASKED_COLUMNS = tuple(f"masked_{kind}" for kind in KINDS)
MEASURED_SCHEMA = pa.schema(
    [
        *SOURCE_FILE_SCHEMA,
        *(pa.field(name, pa.float64()) for name in SIGNAL_COLUMNS),
        pa.field("masked_content", pa.string()),
        *(pa.field(name, pa.int32()) for name in MASKED_COLUMNS),
    ]
)
QUANTILES = (0.01, 0.5, 0.99)


def measure_shard(files: pa.Table) -> ShardResult:
    """Pure: the same table gives the same result, in any process."""
    measured = files.select(["path", "language", "content"]).to_pylist()
    rows = [_measure_row(row) for row in measured]
    _add_syntax(rows, measured)
    table = files.select(SOURCE_FILE_SCHEMA.names)
    for field in list(MEASURED_SCHEMA)[len(SOURCE_FILE_SCHEMA) :]:  # what is added
        table = table.append_column(field.name, pa.array([row[field.name] for row in rows], field.type))
    return ShardResult({"files": table}, {"rows": len(rows), "bytes": sum(files["n_bytes"].to_pylist())})


def summarise_signals(folder: Path, summaries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The stage's metrics: rows and bytes, and of each signal its quantiles over the files that have it."""
    counts = list(summaries)
    table = read_table(folder, list(SIGNAL_COLUMNS))
    values = {name: table[name].drop_null().to_numpy() for name in SIGNAL_COLUMNS}
    return {
        "rows_out": sum(count["rows"] for count in counts),
        "bytes": sum(count["bytes"] for count in counts),
        "quantiles": {
            name: {str(share): float(np.quantile(column, share)) for share in QUANTILES} for name, column in values.items() if column.size
        },
    }


def _add_syntax(rows: list[dict[str, Any]], files: list[dict[str, Any]]) -> None:
    """Fill SYNTAX_SIGNAL of the Python files: one call of the parser for all of them."""
    python = [number for number, file in enumerate(files) if file["language"] in PYTHON]
    for number, line in zip(python, syntax_error_lines([files[number]["content"] for number in python]), strict=True):
        rows[number][SYNTAX_SIGNAL] = line


def _measure_row(row: dict[str, Any]) -> dict[str, Any]:
    """The columns that MEASURED_SCHEMA adds to a row with path, language and content, but for SYNTAX_SIGNAL."""
    content = row["content"]
    is_python = row["language"] in PYTHON
    masked, replaced = mask(content, is_python)
    changes_code = bool(replaced) and is_python and code_tokens(masked) != code_tokens(content)
    return {
        **measure(row["path"], row["language"], content),
        "replacements_in_code": replaced.total() if changes_code else 0,
        "masked_content": masked if replaced else None,
        **{f"masked_{kind}": replaced[kind] for kind in KINDS},
    }

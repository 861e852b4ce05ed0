"""Filters one shard of files: rules, then masking of what is kept.

in: a table of SOURCE_FILE_SCHEMA  out: tables `kept` (SOURCE_FILE_SCHEMA; n_bytes and content_sha256 follow the masked content) and
`rejected` (REJECTED_SCHEMA), both in the order of the input; summary {dropped, masked, rows_in, rows_out, bytes}.

Beside the reasons of snowcoder.filtering.rules there is masking_changes_code (value: replacements, threshold: 0): a stand-in would fall
into the code of a Python file, where `left@right.de` is a product.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from snowcoder.execution import ShardResult
from snowcoder.filtering.masking import mask
from snowcoder.filtering.rules import Rejection, python_outline, rejection_of
from snowcoder.filtering.thresholds import FilterParams, thresholds_of
from snowcoder.metrics import row_accounts
from snowcoder.records import SOURCE_FILE_SCHEMA

REJECTED_SCHEMA = pa.schema(
    [
        ("file_id", pa.string()),
        ("repository", pa.string()),
        ("path", pa.string()),
        ("language", pa.string()),
        ("n_bytes", pa.int64()),
        ("reason", pa.string()),
        ("value", pa.float64()),
        ("threshold", pa.float64()),
    ]
)


def filter_shard(files: pa.Table, params: FilterParams) -> ShardResult:
    """Pure: the same table and params give the same result, in any process."""
    kept: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    masked: Counter[str] = Counter()
    for row in files.to_pylist():
        rejection = rejection_of(row["content"], thresholds_of(row["language"], params))
        if rejection is None and params.mask:
            row, replaced, rejection = _masked(row)
            masked.update(replaced)
        if rejection is None:
            kept.append(row)
        else:
            rejected.append(_rejected_row(row, rejection))
    tables = {"kept": pa.Table.from_pylist(kept, SOURCE_FILE_SCHEMA), "rejected": pa.Table.from_pylist(rejected, REJECTED_SCHEMA)}
    return ShardResult(tables, _summary(files, tables, masked))


def merge_summaries(summaries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The stage's metrics: row accounts, rows by language, replacements by kind, bytes in and out."""
    totals: dict[str, Counter[str]] = {name: Counter() for name in ("dropped", "masked", "rows_in", "rows_out", "bytes")}
    for summary in summaries:
        for name, counts in totals.items():
            counts.update(summary[name])
    rows_in, rows_out = totals["rows_in"], totals["rows_out"]
    return {
        **row_accounts(rows_in.total(), rows_out.total(), totals["dropped"]),
        "by_language": {language: {"rows_in": n, "rows_out": rows_out[language]} for language, n in sorted(rows_in.items())},
        "masked": dict(totals["masked"]),
        "bytes_in": totals["bytes"]["in"],
        "bytes_out": totals["bytes"]["out"],
    }


def _masked(row: dict[str, Any]) -> tuple[dict[str, Any], Counter[str], Rejection | None]:
    """(row with masked content, replacements, a Rejection if the stand-ins change more of a Python file than strings and comments)."""
    content, replaced = mask(row["content"])
    if not replaced:
        return row, replaced, None
    if row["language"] == "python" and python_outline(content) != python_outline(row["content"]):
        return row, Counter(), Rejection("masking_changes_code", replaced.total(), 0)
    encoded = content.encode()
    return row | {"content": content, "n_bytes": len(encoded), "content_sha256": hashlib.sha256(encoded).hexdigest()}, replaced, None


def _rejected_row(row: dict[str, Any], rejection: Rejection) -> dict[str, Any]:
    return {name: row[name] for name in ("file_id", "repository", "path", "language", "n_bytes")} | rejection._asdict()


def _summary(files: pa.Table, tables: dict[str, pa.Table], masked: Counter[str]) -> dict[str, Any]:
    n_bytes = {"in": sum(files["n_bytes"].to_pylist()), "out": sum(tables["kept"]["n_bytes"].to_pylist())}
    return {
        "dropped": Counter(tables["rejected"]["reason"].to_pylist()),
        "masked": masked,
        "rows_in": Counter(files["language"].to_pylist()),
        "rows_out": Counter(tables["kept"]["language"].to_pylist()),
        "bytes": n_bytes,
    }

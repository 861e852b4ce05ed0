"""Rows and bytes in and out, by language, of a shard of SourceFile rows and of all shards together.

{"dropped": {reason: rows}, "by_language": {language: {"rows_in", "rows_out", "bytes_in", "bytes_out"}}}
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from snowcoder.storage.metrics import row_accounts


def shard_accounts(rows_in: pa.Table, rows_out: pa.Table, reasons: Iterable[str]) -> dict[str, Any]:
    """The accounts of one shard; `reasons` has one entry for each dropped row."""
    by_language: dict[str, Counter[str]] = {}
    for side, table in (("in", rows_in), ("out", rows_out)):
        sums = table.group_by("language").aggregate([("n_bytes", "count"), ("n_bytes", "sum")])
        for row in sums.to_pylist():
            counts = {f"rows_{side}": row["n_bytes_count"], f"bytes_{side}": row["n_bytes_sum"]}
            by_language.setdefault(row["language"], Counter()).update(counts)
    keys = ("rows_in", "rows_out", "bytes_in", "bytes_out")
    languages = {language: {key: counts[key] for key in keys} for language, counts in by_language.items()}
    return {"dropped": dict(Counter(reasons)), "by_language": languages}


def total_accounts(shards: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Metrics of all shards: row accounts (asserted to add up), bytes_in, bytes_out, by_language."""
    dropped: Counter[str] = Counter()
    by_language: dict[str, Counter[str]] = {}
    for shard in shards:
        dropped.update(shard["dropped"])
        for language, counts in shard["by_language"].items():
            by_language.setdefault(language, Counter()).update(counts)
    total = sum(by_language.values(), Counter())
    return {
        **row_accounts(total["rows_in"], total["rows_out"], dropped),
        "bytes_in": total["bytes_in"],
        "bytes_out": total["bytes_out"],
        "by_language": {language: dict(counts) for language, counts in sorted(by_language.items())},
    }

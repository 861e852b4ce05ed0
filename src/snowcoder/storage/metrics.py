"""Small JSON files of metrics (`metrics/<stage>[/<item>].json`): sorted keys, rounded floats, no time, path or run id.

They are committed, so the same result must give the same bytes.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.errors import SnowcoderError
from snowcoder.storage.files import written_whole

SIGNIFICANT_DIGITS = 6


def write_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Write atomically. Floats keep six significant digits; NaN and infinity are refused (they are not JSON)."""
    text = json.dumps(_rounded(metrics, path.name), indent=2, sort_keys=True, allow_nan=False) + "\n"
    with written_whole(path) as partial:
        partial.write_text(text)


def read_metrics(path: Path) -> dict[str, Any]:
    """The metrics of one stage. Raises SnowcoderError naming the file if it is missing or not JSON."""
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise SnowcoderError(f"{path}: cannot be read as metrics ({error}); run `dvc repro`") from error


def row_accounts(rows_in: int, rows_out: int, dropped: Counter[str]) -> dict[str, Any]:
    """`{rows_in, rows_out, dropped: {reason: n}}`, asserted to add up (design: every row is accounted for)."""
    if rows_in != rows_out + sum(dropped.values()):
        raise AssertionError(f"rows do not add up: {rows_in} in, {rows_out} out, dropped {dict(dropped)}")
    return {"rows_in": rows_in, "rows_out": rows_out, "dropped": dict(sorted(dropped.items()))}


def flatten(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level of `a.b.c` keys; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        flat |= flatten(value, name) if isinstance(value, dict) else {name: value}
    return flat


def _rounded(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner, name) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise SnowcoderError(f"{name}: {value} is not a finite number; this is a bug in the stage that computed it")
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


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

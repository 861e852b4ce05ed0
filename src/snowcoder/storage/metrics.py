"""Small JSON files of metrics (`metrics/<stage>[/<item>].json`): sorted keys, rounded floats, no time, path or run id.

They are committed, so that the same result must give the same bytes.
"""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

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


def flatten(nested: dict[str, Any], prefix: str = "", separator: str = ".") -> dict[str, Any]:
    """Nested mappings as one level of `a.b.c` keys; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{separator}{key}" if prefix else str(key)
        if isinstance(value, dict):
            flat |= flatten(value, name, separator)
        else:
            flat[name] = value
    return flat


def _rounded(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner, name) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise SnowcoderError(f"{name}: {value} is not a finite number; the stage that computed it is at fault")
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value

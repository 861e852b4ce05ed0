"""Explains an empty result: the parameters whose rules rejected the most files, and the values they met.

in: the table of rejected files, the parameters  out: text for an error message
"""

from collections import Counter
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.errors import EmptyResultError
from snowcoder.filtering.rights_accounts import order_by_count
from snowcoder.filtering.rules import MASKING_RULE, FilterParams

N_RULES = 3
N_VALUES = 3
MAX_VALUE_CHARS = 60
_COLUMN_OF = {"licence_class": "licence", "opted_out": "repository"}
_KEY_OF = {"licence_class": "licence_classes", "opted_out": "opt_out", MASKING_RULE: "mask"}


def refuse_empty(rows_in: int, rejected: pa.Table, params: FilterParams) -> NoReturn:
    """Raise EmptyResultError with explain_rejections."""
    found = f"all {rows_in} files are rejected, by {explain_rejections(rejected, params)}"
    raise EmptyResultError(f"params.yaml: {found}; loosen these parameters, or check that the corpus is the one that you mean")


def explain_rejections(rejected: pa.Table, params: FilterParams) -> str:
    """`filter_files.licence_classes: [permissive] (226 of 226 files; commonest found: 'GPL-3.0' (200), …); …`, by the first rule broken.

    rejected: columns rule, value, threshold, licence, repository of REJECTED_SCHEMA.
    """
    taken = order_by_count(Counter(rejected["rule"].to_pylist()))
    shown = [_explain(rule, count, rejected, params) for rule, count in taken[:N_RULES]]
    rest = [f"{len(taken) - N_RULES} more rules ({sum(count for _, count in taken[N_RULES:])} files)"] if len(taken) > N_RULES else []
    return "; ".join([*shown, *rest])


def _explain(rule: str, count: int, rejected: pa.Table, params: FilterParams) -> str:
    files = rejected.filter(pc.equal(rejected["rule"], rule))
    key = _KEY_OF.get(rule, rule)
    found = Counter(_shorten(value) for value in files[_COLUMN_OF.get(rule, "value")].to_pylist())
    commonest = ", ".join(f"{value} ({n})" for value, n in order_by_count(found)[:N_VALUES])
    setting = f"filter_files.{key}: {_allowed(rule, files, params)}"
    return f"{setting} ({count} of {rejected.num_rows} files; commonest found: {commonest})"


def _allowed(rule: str, files: pa.Table, params: FilterParams) -> str:
    """What the parameter says, and the thresholds of languages that differ in the table of exceptions."""
    stated = getattr(params, _KEY_OF.get(rule, rule))
    text = f"[{', '.join(stated)}]" if isinstance(stated, list) else str(stated).lower() if isinstance(stated, bool) else str(stated)
    differing = sorted({value for value in files["threshold"].to_pylist() if value is not None and value != stated})
    if not differing or rule == MASKING_RULE:
        return text
    return f"{text}, by {params.exceptions} {', '.join(f'{value:g}' for value in differing)}"


def _shorten(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value if len(value) <= MAX_VALUE_CHARS else f"{value[:MAX_VALUE_CHARS]}…")

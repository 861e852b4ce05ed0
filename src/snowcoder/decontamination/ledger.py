"""The contamination ledger: one row of evidence for each benchmark problem found in a file or document.

source: corpus | positives | synthetic | unseen; file_id, repository, path: the file; dropped: whether it was, for this or another overlap;
benchmark, problem_id: the problem; reason: benchmark_overlap | generic_match; method: see snowcoder.decontamination.screen; overlap: 1.0
for a whole passage, else the share of n-grams found; start_char, end_char: the matched span of the content; matched_text: its beginning,
<= 200 characters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from snowcoder.decontamination.screen import GENERIC_MATCH, Overlap
from snowcoder.source_files.records import text_columns

SOURCES = ("corpus", "positives", "synthetic", "unseen")
LEDGER_SCHEMA = pa.schema(
    [
        *text_columns("source", "file_id", "repository", "path"),
        ("dropped", pa.bool_()),
        *text_columns("benchmark", "problem_id", "reason", "method"),
        *(("overlap", pa.float64()), ("start_char", pa.int64()), ("end_char", pa.int64()), ("matched_text", pa.string())),
    ]
)


def ledger_rows(source: str, file: dict[str, Any], overlaps: Sequence[Overlap], dropped: bool) -> list[dict[str, Any]]:
    """Rows of LEDGER_SCHEMA, one per overlap; `file` has file_id, repository and path."""
    assert source in SOURCES, source
    origin = {"source": source, **{key: file[key] for key in ("file_id", "repository", "path")}, "dropped": dropped}
    return [origin | asdict(overlap) for overlap in overlaps]


def count_contamination(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """benchmark -> {method: files}: of rows of LEDGER_SCHEMA. A file counts once for a benchmark, under its strongest method, which comes
    first among its rows; under generic_match if it has nothing but that.
    """
    strongest: dict[tuple[str, str], str] = {}
    for row in rows:
        method = GENERIC_MATCH if row["reason"] == GENERIC_MATCH else row["method"]
        strongest.setdefault((row["benchmark"], row["file_id"]), method)
    counts: dict[str, dict[str, int]] = {}
    for (benchmark, _), method in sorted(strongest.items()):
        methods = counts.setdefault(benchmark, {})
        methods[method] = methods.get(method, 0) + 1
    return counts

"""The contamination ledger: one row of evidence for each file or document dropped for its overlap with a benchmark.

source: corpus | positives | synthetic; file_id, repository, path: the file; benchmark, problem_id: the problem;
method: solution | docstring | ngram; matched_text: excerpt of the file, <= 200 characters;
overlap: 1.0 for a whole passage, else the share of n-grams found.
"""

from dataclasses import asdict
from typing import Any

import pyarrow as pa

from snowcoder.decontamination.screen import Overlap

SOURCES = ("corpus", "positives", "synthetic")
LEDGER_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("file_id", pa.string()),
        ("repository", pa.string()),
        ("path", pa.string()),
        ("benchmark", pa.string()),
        ("problem_id", pa.string()),
        ("method", pa.string()),
        ("matched_text", pa.string()),
        ("overlap", pa.float64()),
    ]
)


def ledger_row(source: str, file: dict[str, Any], overlap: Overlap) -> dict[str, Any]:
    """A row of LEDGER_SCHEMA; `file` has file_id, repository and path."""
    assert source in SOURCES, source
    return {"source": source, **{key: file[key] for key in ("file_id", "repository", "path")}, **asdict(overlap)}

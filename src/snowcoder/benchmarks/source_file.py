"""Reads a benchmark's source file (gzipped JSON lines), its bytes checked against the pinned hash first."""

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from snowcoder.errors import SourceError


def read_records(path: Path, benchmark: str, expected_sha256: str) -> list[dict[str, Any]]:
    """The records of a .jsonl.gz file. Raises SourceError if it is missing, changed or not JSON lines."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: benchmark {benchmark} cannot be read: {error.strerror}; fetch the file again") from error
    found = hashlib.sha256(packed).hexdigest()
    if found != expected_sha256:
        raise SourceError(
            f"{path}: benchmark {benchmark} has changed: found sha256 {found}, params.yaml fetch_benchmarks.sha256.{benchmark} allows "
            f"{expected_sha256}; install the pinned version, or compare the two and pin the new hash: scores of the two are not comparable"
        )
    try:
        return [json.loads(line) for line in gzip.decompress(packed).decode().splitlines() if line.strip()]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SourceError(f"{path}: benchmark {benchmark} is not gzipped JSON lines: {error}") from error


def text_field(record: dict[str, Any], field: str, path: Path) -> str:
    """A text field of a record. Raises SourceError naming the field and what there is."""
    value = record.get(field)
    if not isinstance(value, str):
        raise SourceError(f"{path}: field {field}: found {value!r}; allowed: text (fields found: {', '.join(sorted(record))})")
    return value

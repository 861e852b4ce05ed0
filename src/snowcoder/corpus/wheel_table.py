"""Reads the two files that describe a set of wheels: a lock (pip requirements with hashes) and a table (name, version, licence, rank).

lock: lines `name==version --hash=sha256:<64 hex digits>`; `#` comments.
table: CSV with columns name, version, licence (SPDX), download_rank, rank_source, rank_date; the last three empty where there is no rank.
Both are made by tools/pin_wheels.py.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from snowcoder.errors import SourceError
from snowcoder.source_files.licences import PERMISSIVE, licence_class

TABLE_COLUMNS = ("name", "version", "licence", "download_rank", "rank_source", "rank_date")
MAX_RANK = 2**31 - 1
_RANK = re.compile(r"[1-9][0-9]{0,9}")
_MORE = "fields beyond the columns"
_LOCK_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)\s+--hash=sha256:(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class LockedWheel:
    """One pinned distribution; `name` is canonical (lower case, single dashes)."""

    name: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """The line of the lock, as pip reads it."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(frozen=True, slots=True)
class WheelEntry:
    """One row of the table; download_rank is None where it is unknown."""

    name: str
    version: str
    licence: str
    download_rank: int | None


def canonical_name(name: str) -> str:
    """The name of a distribution as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> list[LockedWheel]:
    """The pinned wheels, sorted by name. Raises SourceError naming the line that is not `name==version --hash=sha256:…`."""
    wheels: dict[str, LockedWheel] = {}
    for number, text in _requirements(_read(path)):
        match = _LOCK_LINE.fullmatch(text)
        if match is None:
            form = "name==version --hash=sha256:<64 hex digits>"
            raise SourceError(f"{path}:{number}: found {text[:200]!r}; allowed: {form}; remake it with tools/pin_wheels.py")
        wheel = LockedWheel(canonical_name(match["name"]), match["version"], match["sha256"])
        if wheel.name in wheels:
            raise SourceError(f"{path}:{number}: {wheel.name} is pinned twice; keep one line")
        wheels[wheel.name] = wheel
    if not wheels:
        raise SourceError(f"{path}: pins no wheels; make it with tools/pin_wheels.py")
    return [wheels[name] for name in sorted(wheels)]


def read_wheel_table(path: Path) -> dict[str, WheelEntry]:
    """Rows of the table by canonical name.

    Raises SourceError naming the line: it is no CSV of these columns, a rank is no number, a licence is not permissive, a name comes twice.
    """
    reader = csv.DictReader(io.StringIO(_read(path), newline=""), strict=True, restkey=_MORE)
    entries: dict[str, WheelEntry] = {}
    try:
        missing = [column for column in TABLE_COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise SourceError(f"{path}: columns missing: {', '.join(missing)}; remake it with tools/pin_wheels.py")
        for row in reader:
            entry = _entry(row, f"{path}:{reader.line_num}")
            if entry.name in entries:
                raise SourceError(f"{path}:{reader.line_num}: {entry.name} occurs twice; keep one line")
            entries[entry.name] = entry
    except csv.Error as error:  # a field beyond 128 KiB, a quote that nothing closes
        raise SourceError(f"{path}:{reader.line_num + 1}: not CSV ({error}); remake it with tools/pin_wheels.py") from error
    return entries


def _entry(row: dict[str, str], where: str) -> WheelEntry:
    if _MORE in row or None in row.values():
        n_fields = sum(value is not None for name, value in row.items() if name != _MORE) + len(row.get(_MORE, ()))
        raise SourceError(f"{where}: found {n_fields} fields; allowed: one per column; remake it with tools/pin_wheels.py")
    if licence_class(row["licence"]) != "permissive":
        found = f"{row['name']}: licence {row['licence']!r} is not permissive"
        raise SourceError(f"{where}: {found}; allowed: {', '.join(sorted(PERMISSIVE))}; remove the distribution from lock and table")
    rank = row["download_rank"]
    if rank and not (_RANK.fullmatch(rank) and int(rank) <= MAX_RANK):
        found = f"{row['name']}: download_rank: found {rank[:40]!r}"
        raise SourceError(f"{where}: {found}; allowed: a whole number from 1 to {MAX_RANK}, or empty")
    return WheelEntry(canonical_name(row["name"]), row["version"], row["licence"], int(rank) if rank else None)


def _requirements(text: str) -> Iterator[tuple[int, str]]:
    """(number of its last line, text) of every requirement; a backslash at the end joins lines, ` #` begins a comment."""
    begun = ""
    for number, line in enumerate(text.split("\n"), start=1):
        joined = f"{begun} {line.rstrip()}"
        begun = joined.removesuffix("\\") if joined.endswith("\\") else ""
        requirement = joined.split(" #")[0].strip()
        if not begun and requirement and not requirement.startswith("#"):
            yield number, requirement
    if begun.strip():
        yield number, begun.strip()


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); restore it from Git or make it with tools/pin_wheels.py") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SourceError(f"{path}:{line}: not UTF-8 (byte {raw[error.start]:#04x}); save it as UTF-8, or restore it from Git") from error

"""The two files that describe a set of wheels: a lock (pip requirements with hashes) and a table (name, version, licence, rank).

lock: lines `name==version --hash=sha256:<64 hex digits>`; `#` comments.
table: CSV with columns name, version, licence (SPDX), download_rank, rank_source, rank_date; the last three empty where there is no rank.
Both are made by tools/pin_wheels.py.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from snowcoder.errors import SourceError
from snowcoder.licence_class import licence_class
from snowcoder.licence_names import PERMISSIVE

TABLE_COLUMNS = ("name", "version", "licence", "download_rank", "rank_source", "rank_date")
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
    for number, line in enumerate(_read(path).replace("\\\n", " ").splitlines(), start=1):
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        match = _LOCK_LINE.fullmatch(text)
        if match is None:
            form = "name==version --hash=sha256:<64 hex digits>"
            raise SourceError(f"{path}:{number}: found {text!r}; allowed: {form}; remake it with tools/pin_wheels.py")
        wheel = LockedWheel(canonical_name(match["name"]), match["version"], match["sha256"])
        if wheel.name in wheels:
            raise SourceError(f"{path}:{number}: {wheel.name} is pinned twice; keep one line")
        wheels[wheel.name] = wheel
    if not wheels:
        raise SourceError(f"{path}: pins no wheel; make it with tools/pin_wheels.py")
    return [wheels[name] for name in sorted(wheels)]


def read_wheel_table(path: Path) -> dict[str, WheelEntry]:
    """Rows of the table by canonical name. Raises SourceError: a column is missing, a rank is no number, a licence is not permissive."""
    reader = csv.DictReader(_read(path).splitlines())
    missing = [column for column in TABLE_COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise SourceError(f"{path}: columns missing: {', '.join(missing)}; remake it with tools/pin_wheels.py")
    return {canonical_name(row["name"]): _entry(row, f"{path}:{number}") for number, row in enumerate(reader, start=2)}


def _entry(row: dict[str, str], where: str) -> WheelEntry:
    if licence_class(row["licence"]) != "permissive":
        found = f"{row['name']}: licence {row['licence']!r} is not permissive"
        raise SourceError(f"{where}: {found}; allowed: {', '.join(sorted(PERMISSIVE))}; take the distribution out of lock and table")
    rank = row["download_rank"]
    if rank and not (rank.isdigit() and int(rank) > 0):
        raise SourceError(f"{where}: {row['name']}: download_rank: found {rank!r}; allowed: a whole number from 1, or empty")
    return WheelEntry(canonical_name(row["name"]), row["version"], row["licence"], int(rank) if rank else None)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); restore it from Git or make it with tools/pin_wheels.py") from error

"""Reads the list of repositories whose owners have opted out.

in: a CSV with the column `repository`, and if wanted `former_names`: names that the owner or the repository had before, separated by
spaces, commas or semicolons; further columns (a reason, a date) are for people
out: which entries name a repository

An entry is, with case, `.git`, slashes, hosts, and what follows the name in an address not counting:

    owner/name, https://github.com/owner/name, git@gitlab.com:owner/name.git   that repository
    owner/*, owner/all, @owner, https://github.com/owner                       every repository of that owner
    name                                                                       every repository of an owner of that name, and the
                                                                               repository without an owner (a distribution) of that name

The host does not count because data sets do not state it: of two repositories of one name both are left out. Repositories in the data are
read the same way.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowcoder.errors import ParameterError
from snowcoder.filtering.csv_tables import read_rows
from snowcoder.source_files.repository_names import distribution_name, is_package_index, read_repository

COLUMN = "repository"
FORMER_COLUMN = "former_names"
N_UNMATCHED = 20  # entries that the metrics name
_SEGMENT = re.compile(r"[\w.+~-]*[\w-][\w.+~-]*")
# Names of nobody; an owner who is called so can be written as `all/*`
_NOBODY = (("all",), ("nan",), ("none",), ("null",), ("-",), ("_",), ("n", "a"))
_FORMER = re.compile(r"former|previous|old[\s_-]*name|aliases$|renamed", re.IGNORECASE)
_FORMS = "owner/name, owner/*, the name of an owner or a repository, or their URL"


@dataclass(frozen=True)
class OptOut:
    """A list of entries. Picklable. entries: as written. repositories, owners: segments -> positions in entries."""

    entries: tuple[str, ...] = ()
    repositories: Mapping[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict)
    owners: Mapping[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict)

    def __contains__(self, repository: str) -> bool:
        return bool(self.find(repository))

    def find(self, repository: str) -> list[int]:
        """Positions of the entries that name a repository, as the data has it."""
        if not self.entries:
            return []
        host, path = read_repository(repository)
        found: set[int] = set()
        for reading in _readings(host, path):
            found.update(self.repositories.get(reading, ()))
            for length in range(1, len(reading)):
                found.update(self.owners.get(reading[:length], ()))
        return sorted(found)

    def describe(self, files_by_entry: Mapping[int, int], matched_files: int) -> dict[str, Any]:
        """Metrics. files_by_entry: position -> files that the entry names; entries without any are named, the first N_UNMATCHED of them."""
        unmatched = [entry for position, entry in enumerate(self.entries) if not files_by_entry.get(position)]
        without = {"count": len(unmatched), "first": unmatched[:N_UNMATCHED]}
        return {"entries": len(self.entries), "matched_files": matched_files, "entries_without_match": without}


def make_opt_out(entries: Iterable[tuple[str, Iterable[str]]]) -> OptOut:
    """The list of (entry, its former names). Raises ValueError for one that can never match."""
    names: list[str] = []
    repositories: dict[tuple[str, ...], list[int]] = {}
    owners: dict[tuple[str, ...], list[int]] = {}
    for position, (entry, former) in enumerate(entries):
        names.append(entry.strip())
        for name in (entry, *former):
            path, is_owner, is_repository = _read_entry(name)
            if is_owner:
                owners.setdefault(path, []).append(position)
            if is_repository:
                for reading in _readings(read_repository(name)[0], path):
                    repositories.setdefault(reading, []).append(position)
    return OptOut(tuple(names), *({path: tuple(at) for path, at in found.items()} for found in (repositories, owners)))


def read_opt_out(path: str | None) -> OptOut:
    """The list at `path`, an empty one for None. Raises ParameterError naming the line: nothing is used against a wish unread."""
    if path is None:
        return OptOut()
    columns, rows = read_rows(Path(path), "filter_files.opt_out (null for none)")
    misspelt = [column for column in columns if column != FORMER_COLUMN and _FORMER.match(column)]
    if misspelt:  # an earlier name that nobody reads is used against a wish
        raise ParameterError(f"{path}: columns: found {misspelt[0]!r}; earlier names are read from {FORMER_COLUMN}: rename the column")
    if COLUMN not in columns:
        found = ", ".join(map(repr, columns)) or "none"
        raise ParameterError(f"{path}: columns: found {found}; allowed: {COLUMN}, {FORMER_COLUMN} and any others, separated by commas")
    entries = []
    for line, row in rows:
        former = [name for name in re.split(r"[;,\s]+", row.get(FORMER_COLUMN, "")) if name]
        for column, name in ((COLUMN, row[COLUMN]), *((FORMER_COLUMN, name) for name in former)):
            try:
                _read_entry(name)
            except ValueError as error:
                raise ParameterError(f"{path}:{line}: {column}: {error}; correct it, or remove the line") from error
        entries.append((row[COLUMN], former))
    return make_opt_out(entries)


def _readings(host: str, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A path, and with the host before it: what looks like a host may be a group, as in my.group/part/name."""
    if len(path) == 1:
        return [(distribution_name(path[0]),)]
    return [path, (host, *path)] if host else [path]


def _read_entry(text: str) -> tuple[tuple[str, ...], bool, bool]:
    """(segments, whether all repositories below them are meant, whether the one they name is). Raises ValueError."""
    host, path = read_repository(text)
    everything = len(path) > 1 and path[-1] in ("*", "all")
    if everything:
        path = path[:-1]
    if not path or path in _NOBODY or not all(_SEGMENT.fullmatch(part) for part in path):
        raise ValueError(f"found {text.strip()!r}, which can never match; allowed: {_FORMS}")
    if len(path) > 1:
        return path, everything, True
    if is_package_index(host):
        return path, False, True
    is_owner_alone = everything or bool(host) or text.strip().strip("\"'`").startswith("@")
    return path, True, not is_owner_alone

"""The repositories whose owners do not want them used.

A CSV with a column `repository`: a name, or `owner/*` for all of an owner's; case does not count. Further columns (a reason, a date) are
for people.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from snowcoder.errors import ParameterError

COLUMN = "repository"


class OptOut:
    """Whether a repository is on the list. Picklable."""

    def __init__(self, entries: Iterable[str]) -> None:
        lowered = {entry.strip().lower() for entry in entries}
        self._owners = frozenset(entry.removesuffix("/*") for entry in lowered if entry.endswith("/*"))
        self._names = frozenset(entry for entry in lowered if not entry.endswith("/*"))

    def __contains__(self, repository: str) -> bool:
        name = repository.lower()
        return name in self._names or ("/" in name and name.split("/")[0] in self._owners)


def read_opt_out(path: str | None) -> OptOut:
    """The list at `path`, an empty one for None. Raises ParameterError if it cannot be read: nothing is used against a wish unread."""
    if path is None:
        return OptOut([])
    try:
        rows = csv.DictReader(Path(path).read_text().splitlines())
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); filter_files.opt_out names this list, null for none") from error
    if COLUMN not in (rows.fieldnames or ()):
        raise ParameterError(f"{path}: columns: found {rows.fieldnames}; allowed: {COLUMN}, and any others")
    return OptOut(row[COLUMN] for row in rows)

"""Which of several copies is kept: permissive licence first, then the more popular, then repository, path and file_id in ascending order.

As StarCoder2 and The Stack v2 prefer (licence class, then stars), with an order that no position decides.
"""

import re
from dataclasses import dataclass
from typing import Any

# SPDX identifiers, lower case. Kept here, and short, because an unknown licence only loses a tie between copies.
PERMISSIVE_LICENCES = frozenset(
    {
        "0bsd",
        "afl-3.0",
        "apache-2.0",
        "artistic-2.0",
        "blueoak-1.0.0",
        "bsd",
        "bsd-1-clause",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "bsd-4-clause",
        "bsl-1.0",
        "cc0-1.0",
        "cnri-python",
        "hpnd",
        "isc",
        "mit",
        "mit-0",
        "mit-cmu",
        "ncsa",
        "postgresql",
        "psf-2.0",
        "python-2.0",
        "unicode-3.0",
        "unlicense",
        "upl-1.0",
        "w3c",
        "wtfpl",
        "x11",
        "zlib",
        "zpl-2.1",
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """Place of a file among its copies; the smallest is kept."""

    licence_class: int
    negative_popularity: float
    repository: str
    path: str
    file_id: str


def rank_file(row: dict[str, Any]) -> Rank:
    """The rank of a SourceFile row (columns licence, popularity, repository, path, file_id)."""
    return Rank(licence_class(row["licence"]), -row["popularity"], row["repository"], row["path"], row["file_id"])


def licence_class(licence: str) -> int:
    """0 permissive, 1 otherwise or unknown. Of an SPDX expression one alternative (OR) must be permissive in all its parts (AND)."""
    alternatives = re.split(r"\s+or\s+", licence.lower().replace("(", " ").replace(")", " "))
    parts = [re.split(r"\s+and\s+", alternative) for alternative in alternatives]
    return 0 if any(all(part.strip() in PERMISSIVE_LICENCES for part in alternative) for alternative in parts) else 1

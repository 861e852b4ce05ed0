"""Counts licences and opt-outs: files per class, the licence statements of class other, opt-out entries without a match.

in: rows with repository and licence  out: counts of a shard, which add up; the metrics `licences` and `opt_out`
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from snowcoder.filtering.opt_out import OptOut
from snowcoder.source_files.licences import licence_class

N_COMMONEST = 20
MAX_STATEMENT_CHARS = 100
COUNTS = ("licence_classes", "other_licences", "opt_out_entries")


def count_rights(rows: Iterable[Mapping[str, Any]], opt_out: OptOut) -> dict[str, Counter[str]]:
    """COUNTS of a shard: files by class, by statement of class other (its first characters), by position of the opt-out entry."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in COUNTS}
    for row in rows:
        found = licence_class(row["licence"])
        counts["licence_classes"][found] += 1
        if found == "other":
            counts["other_licences"][" ".join(row["licence"].split())[:MAX_STATEMENT_CHARS]] += 1
        counts["opt_out_entries"].update(str(entry) for entry in opt_out.find(row["repository"]))
    return counts


def describe_rights(counts: Mapping[str, Counter[str]], opt_out: OptOut, opted_out_files: int) -> dict[str, Any]:
    """Metrics of the sum of all shards: {licences: {files by class, other: {distinct, commonest}}, opt_out: see OptOut.describe}."""
    other = counts["other_licences"]
    commonest = [{"licence": licence, "files": n} for licence, n in order_by_count(other)[:N_COMMONEST]]
    by_entry = {int(entry): n for entry, n in counts["opt_out_entries"].items()}
    return {
        "licences": {"files": dict(counts["licence_classes"]), "other": {"distinct": len(other), "commonest": commonest}},
        "opt_out": opt_out.describe(by_entry, opted_out_files),
    }


def describe_opt_out(opt_out: Mapping[str, Any], path: str) -> str:
    """One line of what the list at `path` did; opt_out: as in the metrics."""
    without = opt_out["entries_without_match"]
    named = f": {', '.join(without['first'])}{', …' if without['count'] > len(without['first']) else ''}" if without["count"] else ""
    return (
        f"{path}: {opt_out['entries']} entries, {opt_out['matched_files']} files left out, {without['count']} entries without match{named}"
    )


def order_by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Largest first, ties by name: the same for any order of shards."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

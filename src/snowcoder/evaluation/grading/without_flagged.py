"""Computes the pass rate with and without the problems that the contamination ledgers flag.

in: passes per sample; the ledgers of decontaminate_files, fetch_positives and accept_documents (one row for each problem that a file or
document overlaps)
out: {screened: whether the corpus was screened against the benchmark, flagged: problems flagged, all, without: summaries of passes}

A file of the ledger was dropped (unless its overlap is generic and `generic_matches` keeps those), so that the model has not been trained
on it: the problem is one that the sources contain in at least one form, and a copy that the screen does not recognise may have stayed. A
score that falls without the flagged problems is a sign of that; with few of them flagged, its
interval is wide, so a score that does not fall proves nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snowcoder.evaluation.grading.pass_at_k import summarise_passes
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import MANIFEST, iterate_rows

SCREENING = Path("metrics/decontaminate_files.json")
LEDGERS = ("data/decontaminate_files/ledger", "data/fetch_positives/ledger", "data/accept_documents/ledger")


def read_flagged(benchmark: str, root: Path = Path()) -> set[str]:
    """Ids of the problems of a benchmark that some ledger names. Ledgers that are not there say nothing."""
    ledgers = [root / ledger for ledger in LEDGERS if (root / ledger / MANIFEST).exists()]
    rows = (row for ledger in ledgers for row in iterate_rows(ledger, ["benchmark", "problem_id"]))
    return {row["problem_id"] for row in rows if row["benchmark"] in _names(benchmark)}


def is_screened(benchmark: str, root: Path = Path()) -> bool:
    """Whether the corpus was screened against the benchmark: otherwise no flagged problem says nothing."""
    path = root / SCREENING
    return path.exists() and not _names(benchmark).isdisjoint(read_metrics(path)["by_benchmark"])


def rates_without_flagged(passed: Sequence[tuple[str, bool]], flagged: set[str], screened: bool) -> dict[str, Any]:
    """(problem, passed) of every sample -> {screened, flagged: ids that were sampled, all, without: summarise_passes}; `without` is None
    if none is left.
    """
    rest = [(problem, ok) for problem, ok in passed if problem not in flagged]
    return {
        "screened": screened,
        "flagged": sorted({problem for problem, _ in passed if problem in flagged}),
        "all": summarise_passes(passed),
        "without": summarise_passes(rest) if rest else None,
    }


def _names(benchmark: str) -> set[str]:
    """HumanEval+ has HumanEval's problems."""
    return {benchmark, "humaneval"} if benchmark == "humaneval_plus" else {benchmark}

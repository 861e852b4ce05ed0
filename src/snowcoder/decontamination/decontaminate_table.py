"""Screens a table of SourceFile rows against benchmarks.

Kept rows stay unchanged, in the input's shards and order; ledger/ (LEDGER_SCHEMA) says why each of the others was dropped, and which
generic matches the kept ones have, if `generic_matches` keeps them.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.ledger import LEDGER_SCHEMA, count_contamination, ledger_rows
from snowcoder.decontamination.screen import GENERIC_MATCH, BenchmarkScreen
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.execution import Run, ShardResult
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.metrics import shard_accounts, total_accounts
from snowcoder.storage.shards import iterate_rows


def decontaminate_table(
    shards: Sequence[Path], problems: Sequence[Problem], params: DecontaminationParams, output: Path, run: Run
) -> dict[str, Any]:
    """Write kept rows to `output`, evidence to `output/ledger`; return the metrics. EmptyResultError without problems or kept files."""
    if not problems:
        raise EmptyResultError(f"{output.name}: no problems to screen against; name a benchmark in params.yaml fetch_benchmarks.names")
    screen = BenchmarkScreen(problems, params)
    outputs = {"kept": (output, SOURCE_FILE_SCHEMA), "ledger": (output / "ledger", LEDGER_SCHEMA)}
    metrics = total_accounts(run.map_shards(partial(screen_table, screen=screen), shards, outputs))
    if metrics["rows_out"] == 0:
        raise EmptyResultError(f"{output.name}: no file is left of {metrics['rows_in']}; check the thresholds of decontaminate_files")
    ledger = list(iterate_rows(output / "ledger", ["benchmark", "problem_id", "file_id", "dropped", "reason", "method"]))
    return metrics | {
        "by_benchmark": _by_benchmark(screen, ledger),
        "contamination": count_contamination(ledger),
        "generic_matches": _generic_matches(ledger),
    }


def screen_table(table: pa.Table, screen: BenchmarkScreen) -> ShardResult:
    """The rows of a shard that stay, and ledger rows of evidence. Dropped rows are counted under their strongest method, or as generic."""
    overlaps = [screen.overlaps(content) for content in table["content"].to_pylist()]
    reasons = [screen.drop_reason(found) for found in overlaps]
    kept = table.filter(pa.array([reason is None for reason in reasons], pa.bool_()))
    files = table.select(["file_id", "repository", "path"]).to_pylist()
    ledger = [
        row
        for file, found, reason in zip(files, overlaps, reasons, strict=True)
        for row in ledger_rows("corpus", file, found, reason is not None)
    ]
    dropped = [(reason, found[0].method) for reason, found in zip(reasons, overlaps, strict=True) if reason is not None]
    summary = shard_accounts(table, kept, (reason if reason == GENERIC_MATCH else method for reason, method in dropped))
    return ShardResult({"kept": kept, "ledger": pa.Table.from_pylist(ledger, LEDGER_SCHEMA)}, summary)


def _by_benchmark(screen: BenchmarkScreen, ledger: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """benchmark -> {problems; problems_blind, too short to be screened at all; problems_blind_to_renaming, too short to recognise a
    renamed solution; files_dropped; problems_found}.
    """
    files = Counter(name for name, _ in {(row["benchmark"], row["file_id"]) for row in ledger if row["dropped"]})
    distinct = Counter(name for name, _ in {(row["benchmark"], row["problem_id"]) for row in ledger})
    total, blind, blind_to_renaming = (
        Counter(problem.benchmark for problem in problems) for problems in (screen.problems, screen.blind, screen.blind_to_renaming)
    )
    return {
        name: {
            "problems": total[name],
            "problems_blind": blind[name],
            "problems_blind_to_renaming": blind_to_renaming[name],
            "files_dropped": files[name],
            "problems_found": distinct[name],
        }
        for name in sorted(total)
    }


def _generic_matches(ledger: Sequence[dict[str, Any]]) -> dict[str, int]:
    """{matches: ledger rows; problems, files: with any; files_kept: of them, those that were not dropped}."""
    generic = [row for row in ledger if row["reason"] == GENERIC_MATCH]
    return {
        "matches": len(generic),
        "problems": len({(row["benchmark"], row["problem_id"]) for row in generic}),
        "files": len({row["file_id"] for row in generic}),
        "files_kept": len({row["file_id"] for row in generic if not row["dropped"]}),
    }

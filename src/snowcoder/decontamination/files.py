"""Screens a table of SourceFile rows against benchmarks.

Kept rows stay as they are, in the input's shards and order; ledger/ (LEDGER_SCHEMA) says why each of the others went.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.ledger import LEDGER_SCHEMA, ledger_row
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.deduplication.accounts import shard_accounts, total_accounts
from snowcoder.errors import EmptyResultError
from snowcoder.execution import ShardResult, map_shards
from snowcoder.records import SOURCE_FILE_SCHEMA


def decontaminate_table(
    shards: Sequence[Path], problems: Sequence[Problem], params: DecontaminationParams, output: Path, state: Path
) -> dict[str, Any]:
    """Write kept rows to `output`, evidence to `output/ledger`; return the metrics. EmptyResultError without problems or kept files."""
    if not problems:
        raise EmptyResultError(f"{output.name}: no problem to screen against; name a benchmark in params.yaml fetch_benchmarks.names")
    screen = BenchmarkScreen(problems, params)
    outputs = {"kept": (output, SOURCE_FILE_SCHEMA), "ledger": (output / "ledger", LEDGER_SCHEMA)}
    summaries = map_shards(partial(screen_table, screen=screen), shards, outputs, state, "decontaminate")
    metrics = total_accounts(summaries)
    if metrics["rows_out"] == 0:
        raise EmptyResultError(f"{output.name}: no file is left of {metrics['rows_in']}; look at the thresholds of decontaminate_files")
    return metrics | {"by_benchmark": _by_benchmark(problems, screen, summaries)}


def screen_table(table: pa.Table, screen: BenchmarkScreen) -> ShardResult:
    """The rows of a shard that overlap no problem, and a ledger row for each of the others."""
    overlaps = [screen.match(content) for content in table["content"].to_pylist()]
    kept = table.filter(pa.array([overlap is None for overlap in overlaps], pa.bool_()))
    files = table.select(["file_id", "repository", "path"]).to_pylist()
    ledger = [ledger_row("corpus", file, overlap) for file, overlap in zip(files, overlaps, strict=True) if overlap]
    summary = shard_accounts(table, kept, (row["method"] for row in ledger))
    summary["problems"] = [[row["benchmark"], row["problem_id"]] for row in ledger]
    return ShardResult({"kept": kept, "ledger": pa.Table.from_pylist(ledger, LEDGER_SCHEMA)}, summary)


def _by_benchmark(problems: Sequence[Problem], screen: BenchmarkScreen, summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """benchmark -> {problems, problems_blind (too short to be screened), files_dropped, problems_found}."""
    found = [tuple(pair) for summary in summaries for pair in summary["problems"]]
    files, distinct = Counter(name for name, _ in found), Counter(name for name, _ in set(found))
    blind, total = Counter(problem.benchmark for problem in screen.blind), Counter(problem.benchmark for problem in problems)
    return {
        name: {"problems": total[name], "problems_blind": blind[name], "files_dropped": files[name], "problems_found": distinct[name]}
        for name in sorted(total)
    }

"""Prints the results of the last `dvc repro` here, conclusion first, then what the expensive stages cost.

    python tools/show_results.py [--all] [--since SECONDS]

--all: the cost of every stage. --since (as `date +%s` prints it): without the results, if the report stage has printed them since then.
Results that came with the clone or from DVC's cache get their summary run in MLflow here, since no stage ran to write it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from snowcoder.pipeline.stage import run_tool, work_dir
from snowcoder.planning.plan_and_actual import Comparison, read_comparisons
from snowcoder.reporting.document import Table
from snowcoder.reporting.report_params import load_report_params
from snowcoder.reporting.results import read_results
from snowcoder.reporting.summary import ensure_summary
from snowcoder.reporting.terminal import open_console, print_results, print_table

EXPENSIVE = 0.03  # of the time of all stages: such a stage gets a row


def read_times(folder: Path) -> list[dict[str, Any]]:
    """What every stage cost that has run with this work folder, the longest first."""
    times = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return sorted(times, key=lambda entry: (-entry["wall_s"], entry["stage"]))


def times_table(times: list[dict[str, Any]], least: float) -> Table:
    """Wall time and peak memory of each stage that took at least that share of all time; of the others together; of all."""
    total = sum(entry["wall_s"] for entry in times)
    shown = [entry for entry in times if entry["wall_s"] >= least * total]
    rows = [[entry["stage"], *_cost([entry])] for entry in shown]
    if others := times[len(shown) :]:
        rows.append([f"{len(others)} other stages (tools/show_results.py --all)", *_cost(others)])
    return Table(["stage", "wall time", "peak memory"], [*rows, [f"all stages ({len(times)})", *_cost(times)]] if times else [])


def plan_table(comparisons: list[Comparison]) -> Table:
    """What `make plan` expected of the stages that it planned, and what they took."""
    rows = []
    for one in comparisons:
        hours, memory = zip(one.planned, one.actual, strict=True)
        rows.append([one.stage, *(duration(3600 * value) for value in hours), f"{hours[1] / max(hours[0], 1e-12):.2f}"])
        rows[-1] += [f"{size / 2**30:.2f}" for size in memory]
    origins = "; ".join(dict.fromkeys(one.origin for one in comparisons))
    columns = ["stage", "time planned", "time taken", "ratio", "GiB planned", "GiB taken"]
    return Table(columns, rows, f"Planned from: {origins}.")


def duration(seconds: float) -> str:
    """`1 h 02 min`, `3 min 04 s`, `5.6 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _cost(times: list[dict[str, Any]]) -> list[str]:
    peak = max(entry["peak_memory_bytes"] for entry in times)
    return [duration(sum(entry["wall_s"] for entry in times)), f"{peak / 2**20:,.0f} MiB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="the cost of every stage")
    parser.add_argument("--since", type=float, default=float("inf"), metavar="SECONDS", help="leave out results that were printed since")
    chosen = parser.parse_args()
    results = read_results(load_report_params())
    ensure_summary(results)
    console, times = open_console(), work_dir() / "times"
    reported = times / "report.json"
    if not reported.exists() or reported.stat().st_mtime < chosen.since:
        print_results(console, results)
    console.print()
    for title, table in (
        ("Cost of each stage when it last ran on this machine", times_table(read_times(times), 0 if chosen.all else EXPENSIVE)),
        ("Plan and actual cost", plan_table(read_comparisons(work_dir()))),
    ):
        if table.rows:
            print_table(console, title, table)
    console.print("Experiments next to each other: make compare; all runs in MLflow: make ui")


if __name__ == "__main__":
    run_tool(main)

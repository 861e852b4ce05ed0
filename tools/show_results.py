"""Prints the result tables of the last `dvc repro` here, then what every stage cost: wall time and peak memory, when it last ran, and what
the training stages were planned to cost.

Results that came with the clone or from DVC's cache get their summary run in MLflow here: no stage ran that could have written it.
"""

import json
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Printed

from snowcoder.pipeline.stage import command_line, work_dir
from snowcoder.reporting.document import Table
from snowcoder.reporting.findings import findings
from snowcoder.reporting.model_tables import bits_table, comparison_table, score_table
from snowcoder.reporting.report_params import load_report_params
from snowcoder.reporting.results import read_results
from snowcoder.reporting.summary import ensure_summary
from snowcoder.tracking.plan import Comparison, read_comparisons

PIPED_WIDTH = 130


def times_table(folder: Path) -> Table:
    """Wall time and peak memory of every stage that has run with this work folder, the longest first, and the total."""
    times = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    times.sort(key=lambda entry: (-entry["wall_s"], entry["stage"]))
    rows = [[entry["stage"], duration(entry["wall_s"]), f"{entry['peak_memory_bytes'] / 2**20:,.0f} MiB"] for entry in times]
    total, peak = sum(entry["wall_s"] for entry in times), max((entry["peak_memory_bytes"] for entry in times), default=0)
    rows.append(["total", duration(total), f"{peak / 2**20:,.0f} MiB"])
    return Table(["stage", "wall time", "peak memory"], rows, "As measured when each stage last ran on this machine.")


def plan_table(comparisons: list[Comparison]) -> Table:
    """Plan and actual of every stage that trained, side by side; time as a share of the plan."""
    rows = []
    for one in comparisons:
        planned, actual = one.planned, one.actual
        times = [duration(3600 * planned.hours), duration(3600 * actual.hours), f"{actual.hours / max(planned.hours, 1e-12):.2f}"]
        speeds = [f"{planned.tokens_per_second:,.0f}", f"{actual.tokens_per_second:,.0f}"]
        memory = [f"{size / 2**20:,.0f} MiB" if size else "-" for size in (planned.memory_bytes, actual.memory_bytes)]
        rows.append([one.stage, *times, *speeds, *memory, one.origin])
    columns = ["stage", "time planned", "actual", "ratio", "tokens/s planned", "actual", "memory planned", "actual", "planned from"]
    return Table(columns, rows, "`make plan` before a run makes the plan; without one, the run's first report is taken as the plan.")


def duration(seconds: float) -> str:
    """`1 h 02 min`, `3 min 04 s`, `5.6 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def open_console() -> Console:
    """As wide as the terminal; in a pipe or a log, wide enough for the tables."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def print_table(console: Console, title: str, table: Table) -> None:
    """One table on the terminal."""
    printed = Printed(title=title, title_justify="left", caption=table.caption, caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(table.columns):
        printed.add_column(column, justify="left" if index < table.text_columns else "right", no_wrap=index == 0)
    for row in table.rows:
        printed.add_row(*row)
    console.print(printed, end="\n\n")


def main() -> None:
    results = read_results(load_report_params())
    ensure_summary(results)
    console = open_console()
    for title, table in (
        ("Models", score_table(results)),
        ("Bits per byte", bits_table(results)),
        ("Against the controls", comparison_table(results)),
        ("Cost", times_table(work_dir() / "times")),
        ("Plan beside actual", plan_table(read_comparisons(work_dir()))),
    ):
        if table.rows:
            print_table(console, title, table)
    for finding in findings(results):
        console.print(f"- {finding}", highlight=False)
    console.print("Report with figures: results/report.html; runs in MLflow: make ui")


if __name__ == "__main__":
    command_line(main)

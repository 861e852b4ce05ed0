"""Prints DVC's experiments next to each other: first the parameters that differ, then the headline numbers that do.

    python tools/compare_experiments.py [arguments of `dvc exp show`, e.g. -A or --rev main -n 3]

Experiments are columns, as names of numbers are long; those that a terminal has no room for follow in further tables, each with the first.
"""

import json
import subprocess
import sys
from typing import Any, NamedTuple

from rich.console import Console

from snowcoder.pipeline.stage import run_tool
from snowcoder.reporting.document import Table
from snowcoder.reporting.terminal import open_console, print_table
from snowcoder.storage.metrics import flatten

MISSING = "-"
WORKSPACE = "workspace"  # instead of a commit's hash, of which as many characters are shown
GAP = 2
WIDEST_VALUE = 24
Values = dict[str, str]


class Experiment(NamedTuple):
    """A commit, an experiment or the workspace: its name, and values by dotted name."""

    title: str
    params: Values
    metrics: Values


def read_experiments(shown: list[dict[str, Any]]) -> list[Experiment]:
    """Those of `dvc exp show --json`: commits, their experiments, last the workspace unless it equals one of them."""
    found = []
    for commit in [*shown[1:], shown[0]]:
        found.append(_read(commit, commit["name"] or commit["rev"][: len(WORKSPACE)]))
        for one in commit["experiments"] or []:
            state = (one["executor"] or {}).get("state")
            found.append(
                _read(
                    one["revs"][0],
                    one["name"] or one["revs"][0]["rev"][: len(WORKSPACE)],
                    f" ({state})" if state not in (None, "success") else "",
                )
            )
    is_known = any(found[-1][1:] == one[1:] for one in found[:-1])
    return found[:-1] if is_known else found


def compare(experiments: list[Experiment]) -> tuple[list[list[str]], list[str]]:
    """(a row for each parameter and then for each number that differs: its name, its values; the numbers that do not differ).

    A number that an experiment does not have yet, as it waits in the queue, makes no difference; a parameter that one lacks does.
    """
    rows: list[list[str]] = []
    same: list[str] = []
    for kind in ("params", "metrics"):
        columns: list[Values] = [getattr(experiment, kind) for experiment in experiments]
        for name in dict.fromkeys(name for column in columns for name in column):
            values = [column.get(name, MISSING) for column in columns]
            present = {value for value in values if kind == "params" or value != MISSING}
            if len(present) > 1:
                rows.append([name, *values])
            elif kind == "metrics":
                same.append(f"{name} {present.pop()}")
    return rows, same


def blocks(titles: list[str], rows: list[list[str]], width: int) -> list[list[int]]:
    """Which experiments fit next to each other, by number; each block begins with experiment 0."""
    widths = [max(map(len, [title, *(row[index] for row in rows)])) for index, title in enumerate(["", *titles])]
    widths = [widths[0], *(min(wide, WIDEST_VALUE) for wide in widths[1:])]
    made = [[0]]
    for index in range(1, len(titles)):
        if sum(GAP + widths[one + 1] for one in [*made[-1], index]) + widths[0] > width and len(made[-1]) > 1:
            made.append([0])
        made[-1].append(index)
    return made


def print_comparison(console: Console, experiments: list[Experiment]) -> None:
    """What differs, in as many tables as the width of the terminal asks for; then what does not."""
    rows, same = compare(experiments)
    titles = [experiment.title for experiment in experiments]
    for block in blocks(titles, rows, console.width):
        columns = ["", *(titles[index] for index in block)]
        print_table(console, "What differs", Table(columns, [[row[0], *(row[index + 1] for index in block)] for row in rows]))
    if same:
        console.print(f"The same in all: {', '.join(same)}")


def _read(state: dict[str, Any], title: str, suffix: str = "") -> Experiment:
    data = state["data"] or {}
    sides = [
        {name: str(value) for file in data.get(side, {}).values() for name, value in flatten(file.get("data") or {}).items()}
        for side in ("params", "metrics")
    ]
    return Experiment(title + suffix, *sides)


def main() -> None:
    done = subprocess.run(["dvc", "exp", "show", "--json", *sys.argv[1:]], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)  # DVC has said why
    experiments = read_experiments(json.loads(done.stdout))
    if len(experiments) == 1:
        print("There are no experiments yet: dvc exp run -S select_files.shared.repeats=2")
    else:
        print_comparison(open_console(), experiments)


if __name__ == "__main__":
    run_tool(main)

"""Prints the results on a terminal of 80 columns, conclusion first, for the report stage and tools/show_results.py."""

import sys
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Printed

from snowcoder.reporting.document import NOTHING, Table
from snowcoder.reporting.findings import findings
from snowcoder.reporting.model_tables import comparison_table, variant_title
from snowcoder.reporting.results import TRIGRAM, Results, set_names
from snowcoder.reporting.titles import set_title
from snowcoder.words import INITIAL

PIPED_WIDTH = 100


def open_console() -> Console:
    """As wide as the terminal; in a pipe or a log PIPED_WIDTH."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False, markup=False)


def print_results(console: Console, results: Results) -> None:
    """The findings (what the models solve is among them), the bits per byte of all models, each model against its control."""
    listed = Printed.grid(padding=(0, 1))
    for finding in findings(results):
        listed.add_row("-", finding)
    console.print(listed, "")
    for title, table in [
        ("Models, each with the trigram of its own tokens after the slash", models_table(results)),
        *control_tables(results),
    ]:
        print_table(console, title, table)
    console.print("95% intervals are over texts only (repositories, or problems), not over seeds. With figures: results/report.html")


def print_table(console: Console, title: str, table: Table) -> None:
    """One table. Heads break at every blank, so that a column is as narrow as its numbers; the first column breaks where it must."""
    console.print(title, style="bold")
    printed = Printed(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    printed.caption, printed.caption_justify = table.caption or None, "left"
    for index, column in enumerate(table.columns):
        is_text = index < table.text_columns
        head = column if is_text else column.replace(" ", "\n").replace("\n%", " %")
        printed.add_column(head, justify="left" if is_text else "right", vertical="bottom", overflow="fold")
    for row in table.rows:
        printed.add_row(*row)
    console.print(printed, "")


def models_table(results: Results) -> Table:
    """Bits per byte of every model and of the trigram of its tokens, without the intervals, which are in the report."""
    sets, rows = set_names(results), []
    for variant, bits in results.bits.items():
        floors = [NOTHING if variant == INITIAL else f"{results.floors(variant, TRIGRAM, name):.3f}" for name in sets]
        values = [f"{bits(name, 'bits_per_byte'):.3f}" for name in sets]
        rows.append([variant_title(variant), *(f"{value} / {floor}" for value, floor in zip(values, floors, strict=True))])
    return Table(["bits per byte", *map(set_title, sets)], rows)


def control_tables(results: Results) -> list[tuple[str, Table]]:
    """(title, table) for each model with a control: the differences on every set, with their intervals."""
    compared = comparison_table(results)
    tables = []
    for (variant, control), rows in groupby(compared.rows, key=lambda row: (row[0], row[1])):
        title = f"{variant} against its control {control}: below zero, {variant} needs fewer bits"
        tables.append((title, Table(["bits per byte", *compared.columns[5:]], [[row[2], *row[5:]] for row in rows])))
    return tables

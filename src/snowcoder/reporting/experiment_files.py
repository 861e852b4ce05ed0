"""Writes a comparison of data: results/experiment.{md,html,png,csv} and metrics/experiment.json.

in: Analysis, BranchBits, RunFacts   out: the files, each whole or not at all; the same input gives the same bytes
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

from snowcoder.experiment.analysis import Analysis
from snowcoder.experiment.branch_table import BranchBits
from snowcoder.reporting.experiment_figure import draw_arms
from snowcoder.reporting.experiment_page import CSV_COLUMNS, RunFacts, experiment_document, experiment_metrics, experiment_rows
from snowcoder.reporting.figures import STYLE, SVG_STYLE, page_svg
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.page import render_page
from snowcoder.storage.files import written_whole
from snowcoder.storage.metrics import write_metrics

NAME = "experiment"
RESULTS = Path("results")
METRICS = Path(f"metrics/{NAME}.json")
OUTPUTS = (*(RESULTS / f"{NAME}.{kind}" for kind in ("md", "html", "png", "csv")), METRICS)


def write_experiment(analysis: Analysis, branches: BranchBits, facts: RunFacts, root: Path = Path()) -> None:
    """All of OUTPUTS, under `root`."""
    figure = f"{NAME}.png"
    document = experiment_document(analysis, facts, figure)
    (root / RESULTS).mkdir(exist_ok=True)
    with mpl.rc_context(STYLE):
        canvas = draw_arms(analysis)
        _write(root / RESULTS / figure, lambda path: canvas.savefig(path, format="png", metadata={"Software": None}, facecolor="white"))
    with mpl.rc_context(STYLE | SVG_STYLE):
        svgs = {NAME: (page_svg(draw_arms(analysis), f"{NAME}-wide"), page_svg(draw_arms(analysis, narrow=True), f"{NAME}-narrow"))}
    _write(root / RESULTS / f"{NAME}.md", lambda path: path.write_text(render_markdown(document)))
    _write(root / RESULTS / f"{NAME}.html", lambda path: path.write_text(render_page(document, svgs)))
    _write(root / RESULTS / f"{NAME}.csv", lambda path: path.write_text(_csv_text(branches)))
    write_metrics(root / METRICS, experiment_metrics(analysis))


def _csv_text(branches: BranchBits) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(experiment_rows(branches))
    return text.getvalue()


def _write(path: Path, write: Callable[[Path], object]) -> None:
    with written_whole(path) as partial:
        write(partial)

"""Draws all figures of the report.

in: results   out: a PNG file of each for Markdown; of each two SVG texts for the page, wide and narrow
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from snowcoder.reporting.experiment_figure import draw_arms
from snowcoder.reporting.figures import (
    STYLE,
    SVG_STYLE,
    draw_annotators,
    draw_funnel,
    draw_ladder,
    draw_learning_curves,
    page_svg,
)
from snowcoder.reporting.results import Results

DRAWN: dict[str, Callable[[Results, bool], Canvas]] = {
    "funnel": draw_funnel,
    "annotators": draw_annotators,
    "learning_curves": draw_learning_curves,
    "ladder": draw_ladder,
    "arms": lambda results, narrow: draw_arms(results.comparison, narrow),
}


def draw_all(results: Results, folder: Path) -> None:
    """Write a PNG file of each figure."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, draw in DRAWN.items():
            draw(results, False).savefig(folder / f"{name}.png", metadata={"Software": None}, facecolor="white")


def draw_for_page(results: Results) -> dict[str, tuple[str, str]]:
    """Of each figure the SVG text for a wide and for a narrow page."""
    with mpl.rc_context(STYLE | SVG_STYLE):
        return {
            name: (page_svg(draw(results, False), f"{name}-wide"), page_svg(draw(results, True), f"{name}-narrow"))
            for name, draw in DRAWN.items()
        }

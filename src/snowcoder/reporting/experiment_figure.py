"""Draws the arms of a comparison of data against random files: one row per arm, one panel per learning rate.

in: Analysis   out: a canvas, wide or narrow
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from snowcoder.experiment.analysis import Analysis
from snowcoder.experiment.branches import Branch
from snowcoder.experiment.ranking import RankedArm, rank_arms
from snowcoder.reporting.figures import BLUE, GREY, INK, NARROW, label_rows, make_canvas
from snowcoder.selection.arms import RANDOM


def draw_arms(analysis: Analysis, narrow: bool = False) -> Canvas:
    """Differences to random files with intervals that hold for all arms at once, and every draw's; arms in the order of the first rate."""
    shown = [one for one in analysis.ranked if one.difference]
    fits = {analysis.params.learning_rates[0]: analysis.fit} | analysis.by_rate
    height = 1.3 + 0.42 * len(shown)
    canvas, axes = (
        make_canvas(len(fits), 1, NARROW, height * len(fits)) if narrow else make_canvas(1, len(fits), 3.6 + 3.4 * len(fits), height)
    )
    for number, (ax, (rate, fit)) in enumerate(zip(axes, fits.items(), strict=True)):
        differences = {one.arm: one for one in rank_arms(fit, analysis.values, analysis.params)}
        for row, one in enumerate(shown):
            if found := differences.get(one.arm):
                _draw_arm(ax, row, found, analysis, rate)
        ax.axvline(0, color=INK, linewidth=1)
        label_rows(ax, [_label(one, analysis) for one in shown] if narrow or number == 0 else [""] * len(shown))
        ax.grid(axis="y", visible=False)
        ax.set_title(f"learning rate {rate:g}", fontsize=10.5)
        ax.locator_params(axis="x", nbins=5)
        ax.set_xlabel("bits per byte less those of random files")
    return canvas


def describe_figure(analysis: Analysis) -> str:
    """The same in words."""
    said = [
        f"{one.arm} {one.difference.value:+.3f}"
        + (f" ({one.difference.interval[0]:+.3f} to {one.difference.interval[1]:+.3f})" if one.difference.interval else "")
        for one in analysis.ranked
        if one.difference
    ]
    return f"Bits per byte of each arm less those of random files: {', '.join(said)}."


def _draw_arm(ax: Axes, row: int, one: RankedArm, analysis: Analysis, rate: float) -> None:
    if not one.difference:
        return
    is_random = analysis.params.arms[one.arm].by == RANDOM
    if one.difference.interval:
        ax.plot(one.difference.interval, [row, row], color=BLUE, linewidth=2.2, solid_capstyle="butt", alpha=0.55)
    for value in _by_draw(analysis, one.arm, str(one.control), rate):
        ax.plot(value, row, "|", color=GREY, markersize=9, markeredgewidth=1.2)
    face = "white" if is_random else BLUE
    ax.plot(one.difference.value, row, "o", color=BLUE, markerfacecolor=face, markersize=7, markeredgewidth=1.8)


def _by_draw(analysis: Analysis, arm: str, control: str, rate: float) -> list[float]:
    """The difference within each draw that both have."""
    values = analysis.values
    draws = sorted(branch.draw for branch in values if branch.arm == arm and branch.learning_rate == rate)
    pairs = [(Branch(arm, draw, rate), Branch(control, draw, rate)) for draw in draws]
    return [values[one] - values[other] for one, other in pairs if other in values]


def _label(one: RankedArm, analysis: Analysis) -> str:
    main = next((other.control for other in analysis.ranked if other.control), None)
    return one.arm if one.control == main else f"{one.arm} (to {one.control})"

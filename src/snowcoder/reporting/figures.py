"""Draws the figures: the funnel, the annotators' curves, the learning curves, the ladder of bits per byte.

in: results   out: a PNG file of each for Markdown; of each two SVG texts for the page, wide and narrow (panels one below the other),
which follow its theme: its colours for ink, lines and ground, its font, and unique ids

Colours are Okabe and Ito's, which people with any common colour blindness tell apart; controls are also hollow or dashed. The same data
give the same bytes: no date and no software version is written into a file, and the font comes with matplotlib.
"""

import io
import re
from collections.abc import Sequence
from itertools import cycle
from textwrap import fill
from typing import Any, TypeVar

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter

from snowcoder.reporting.annotator_tables import labels_of
from snowcoder.reporting.data_tables import funnel
from snowcoder.reporting.document import NOTHING, number
from snowcoder.reporting.report_params import control_names, ladder
from snowcoder.reporting.results import TRIGRAM, Results, set_names
from snowcoder.reporting.titles import set_title
from snowcoder.words import INITIAL

T = TypeVar("T")
INK = "#222222"
BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#9a9a9a",
)  # fmt: skip
SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW)
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8e8e8",
    "legend.frameon": False,
    "figure.dpi": 110,
}
# Text stays text: it can be selected, and the page's font size and ink hold for it
SVG_STYLE: dict[Any, Any] = {"svg.fonttype": "none"}
# What a figure draws in, and the property of the page's style sheet that takes its place
PAGE_COLOURS = {"#000000": "currentColor", "#222222": "currentColor", "#ffffff": "var(--card)", "#e8e8e8": "var(--line)"}
UNUSED_NAME = re.compile(r' id="(?!\w{11}")[a-zA-Z_.\d]+"')  # clip paths and markers, which are referred to, have hashes for names
MAX_CURVE_POINTS = 400
OTHER = "other"
N_LANGUAGES_SHOWN = 6
SETS_PER_ROW = 3
NARROW = 4.6  # inches: a figure of this width is legible on a phone


def page_svg(canvas: Canvas, name: str) -> str:
    """The `<svg>` element of a figure. name: unique in the page, since clip paths and markers are named after it."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = UNUSED_NAME.sub("", text)
    for colour, page_colour in PAGE_COLOURS.items():
        text = text.replace(colour, page_colour)
    return re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", text, count=1), count=1)


def draw_funnel(results: Results, narrow: bool = False) -> Canvas:
    """Files and megabytes left after each step, by language."""
    steps = funnel(results)
    shown = sorted(steps[-1].bytes_by_language, key=lambda name: (-steps[-1].bytes_by_language[name], name))[:N_LANGUAGES_SHOWN]
    canvas, axes = make_canvas(2, 1, NARROW, 6.4) if narrow else make_canvas(1, 2, height=3.4)
    for ax, title, by_language, scale in (
        (axes[0], "files", [step.files_by_language for step in steps], 1.0),
        (axes[1], "megabytes", [step.bytes_by_language for step in steps], 1e-6),
    ):
        left = [0.0] * len(steps)
        for name, colour in zip([*shown, OTHER], [*SERIES[:N_LANGUAGES_SHOWN], GREY], strict=False):
            widths = [
                scale * sum(n for language, n in counts.items() if (language if language in shown else OTHER) == name)
                for counts in by_language
            ]
            ax.barh(range(len(steps)), widths, left=left, color=colour, label=name, height=0.66, edgecolor="white", linewidth=0.6)
            left = [begin + width for begin, width in zip(left, widths, strict=True)]
        for row, total in enumerate(left):
            ax.text(total, row, f" {total:,.0f}" if total >= 10 else f" {total:.1f}", va="center", fontsize=9.5)
        ax.set(title=f"{title} left after each step", xlim=(0, 1.16 * max(left)))
        label_rows(ax, [step.step for step in steps])
        ax.grid(axis="y", visible=False)
    if not narrow:
        axes[1].set_yticklabels([])
    handles, labels = axes[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=3 if narrow else len(labels), handlelength=1.0, columnspacing=1.4)
    return canvas


def draw_annotators(results: Results, narrow: bool = False) -> Canvas:
    """ROC and precision-recall curve of each annotator."""
    canvas, axes = make_canvas(2, 1, NARROW, 9.4) if narrow else make_canvas(1, 2, width=11.0, height=4.8)
    ax = axes[0]
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="chance (0.500)")
    for (recipe, curve), colour, dash in zip(results.roc.items(), SERIES, ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1))), strict=False):
        auc, labels = results.annotators[recipe]("roc_auc"), labels_of(results, recipe)
        name = f"{recipe} ({auc:.3f})" if labels == NOTHING else f"{recipe} ({auc:.3f}; labels by {labels})"
        points = _thin(curve)
        style: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 1.8}
        ax.plot([row["fpr"] for row in points], [row["tpr"] for row in points], label=name, **style)
        area = results.annotators[recipe]("average_precision")
        points = _thin(results.precision_recall[recipe])
        axes[1].plot([row["recall"] for row in points], [row["precision"] for row in points], label=f"{recipe} ({area:.3f})", **style)
    ax.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="random files taken for positives", ylabel="positives found", aspect="equal")
    ax.set_title("unseen repositories: ROC curve (area under it)")
    ax.legend(loc="lower right", fontsize=9.5)
    axes[1].set(xlim=(0, 1), ylim=(0, 1.005), xlabel="positives found", ylabel="share of positives among those taken", aspect="equal")
    axes[1].set_title("precision and recall (average precision)")
    axes[1].legend(loc="lower left", fontsize=9.5)
    return canvas


def draw_learning_curves(results: Results, narrow: bool = False) -> Canvas:
    """Smoothed training loss and the learning rate over all tokens seen; a phase begins where its parent ends."""
    canvas, axes = make_canvas(2, 1, NARROW if narrow else 10.0, height=5.4, share_x=True, height_ratios=(3, 1))
    begins = phase_begins(results)
    controls = control_names(results.params)
    colours = model_colours(results)
    for variant, curve in results.curves.items():
        colour, dash = colours[variant], "--" if variant in controls else "-"
        tokens = [begins[variant] + row["tokens"] for row in curve]
        losses = _smooth([row["train_loss"] for row in curve])
        axes[0].plot(_thin(tokens), _thin(losses), color=colour, linestyle=dash, linewidth=1.7, label=variant)
        if "learning_rate" in curve[0]:
            axes[1].plot(_thin(tokens), _thin([row["learning_rate"] for row in curve]), color=colour, linestyle=dash, linewidth=1.5)
    axes[0].set(title="training loss (running mean)", ylabel="nats per token")
    smoothed = [_smooth([row["train_loss"] for row in curve]) for curve in results.curves.values()]
    axes[0].set_ylim(min(map(min, smoothed)) - 0.1, max(losses[len(losses) // 20] for losses in smoothed) + 0.1)
    axes[0].legend(loc="upper right", ncols=1 if narrow else 2, fontsize=9.5)
    axes[1].set(xlabel="tokens seen, including earlier phases", ylabel="learning rate")
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes[1].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}" if value else "0"))
    return canvas


def draw_ladder(results: Results, narrow: bool = False) -> Canvas:
    """Bits per byte on every set, with 95% intervals: above all models, below the trained ones alone with their trigrams."""
    sets, trained = set_names(results), list(results.params.variants)
    columns = 1 if narrow else min(SETS_PER_ROW, len(sets))
    blocks = -(-len(sets) // columns)
    ratios = (len(trained) + 1, len(trained) + 1) * blocks
    width = NARROW if narrow else 3.2 * columns + 1.0
    canvas, axes = make_canvas(2 * blocks, columns, width, height=5.6 * blocks, height_ratios=ratios)
    for index, name in enumerate(sets):
        block, column = divmod(index, columns)
        for row, variants in ((0, [INITIAL, *trained]), (1, trained)):
            ax = axes[(2 * block + row) * columns + column]
            _dots(ax, results, name, variants, with_trigrams=row == 1)
            label_rows(ax, variants if column == 0 else [""] * len(variants))
            title = fill(set_title(name), 26) if row == 0 else "enlarged; bars: trigrams"
            ax.set(title=title, xlabel="bits per byte (lower is better)" if row else "")
            if row == 0:
                ax.set_xlim(left=0)
    for index in range(len(sets), blocks * columns):
        block, column = divmod(index, columns)
        for row in (0, 1):
            axes[(2 * block + row) * columns + column].set_visible(False)
    return canvas


def model_colours(results: Results) -> dict[str, str]:
    """One colour for each model of the main line; a control has that of its model."""
    colours = dict(zip(ladder(results.params), cycle(SERIES), strict=False)) | {INITIAL: GREY}
    return colours | {control: colours[variant] for variant, control in results.params.controls}


def phase_begins(results: Results) -> dict[str, float]:
    """Tokens that a model had seen when its own phase began: the sum over its ancestors."""
    begins: dict[str, float] = {INITIAL: 0.0}
    ends: dict[str, float] = {INITIAL: 0.0}
    for variant, parent in results.params.variants.items():
        begins[variant] = ends.get(parent, 0.0)
        ends[variant] = begins[variant] + results.curves[variant][-1]["tokens"]
    return begins


def _dots(ax: Axes, results: Results, set_name: str, variants: Sequence[str], with_trigrams: bool) -> None:
    colours, controls = model_colours(results), control_names(results.params)
    for row, variant in enumerate(variants):
        value = results.bits[variant](set_name, "bits_per_byte")
        low, high = results.bits[variant](set_name, "ci95") or (value, value)  # of a single repository there is none
        colour = colours[variant]
        ax.plot([low, high], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt", alpha=0.55)
        face = "white" if variant in controls else colour
        ax.plot(value, row, "o", color=colour, markerfacecolor=face, markersize=7, markeredgewidth=1.8)
        right = high
        if with_trigrams:
            trigram = results.floors(variant, TRIGRAM, set_name)
            ax.plot(trigram, row, "|", color=INK, markersize=15, markeredgewidth=1.6)
            right = max(high, trigram)
        ax.annotate(f"{value:.3f}", (right, row), (6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.margins(x=0.24)
    ax.grid(axis="y", visible=False)


def make_canvas(
    rows: int, columns: int, width: float = 10.0, height: float = 4.0, share_x: bool = False, height_ratios: Sequence[float] | None = None
) -> tuple[Canvas, list[Axes]]:
    """An empty figure and its panels, row by row. width, height: inches; narrow ones are for phones."""
    canvas = Canvas(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.08))
    grid: Any = canvas.subplots(rows, columns, squeeze=False, sharex=share_x, height_ratios=height_ratios)
    return canvas, list(grid.flat)


def label_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Name the rows of a panel, the first at the top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _smooth(values: Sequence[float]) -> list[float]:
    """Exponential running mean over about a fiftieth of the curve, freed of its bias to the start."""
    weight, mean, total, smoothed = 1 - 1 / max(1.0, len(values) / 50), 0.0, 0.0, []
    for value in values:
        mean, total = weight * mean + value, weight * total + 1
        smoothed.append(mean / total)
    return smoothed


def _thin(values: Sequence[T]) -> list[T]:
    return [*values[: -1 : max(1, len(values) // MAX_CURVE_POINTS)], values[-1]]

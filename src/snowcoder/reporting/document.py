"""The parts of a report, independent of their form: page.py renders them as HTML, markdown.py as Markdown."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """Cells are text, ready to show. text_columns: how many of the first columns are words (the others are numbers, set to the right)."""

    columns: list[str]
    rows: list[list[str]]
    caption: str = ""
    text_columns: int = 1

    def __post_init__(self) -> None:
        """Every row must be as wide as the head."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise AssertionError(f"a row of {len(row)} cells under {len(self.columns)} columns: {row}")


@dataclass(frozen=True)
class Figure:
    """A PNG file next to the report. description: what a reader who cannot see it should know."""

    file_name: str
    caption: str
    description: str


@dataclass(frozen=True)
class Listing:
    """Code to read, folded away under its title."""

    title: str
    code: str
    language: str


NOTHING = "-"  # in a cell
Block = Table | Figure | Listing


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, then figures, tables and listings in their order."""

    title: str
    paragraphs: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """A whole report. findings: the sentences that answer the question, first of all."""

    title: str
    findings: list[str]
    sections: list[Section]


def number(value: float) -> str:
    """`12,345`, or from a million on three significant digits: `1.23M`, `4.56B`."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= 0.9995 * size:
            return f"{value / size:.3g}{unit}"
    return f"{value:,.0f}"


def megabytes(n_bytes: float) -> str:
    """Decimal megabytes, one digit below ten."""
    value = n_bytes / 1e6
    return f"{value:,.0f} MB" if value >= 10 else f"{value:.1f} MB"


def percent(fraction: float) -> str:
    """`12.3%` of a fraction."""
    return f"{100 * fraction:.1f}%"


def with_interval(value: float, interval: list[float] | None, digits: int, scale: float = 1.0) -> str:
    """`1.234 (1.201 to 1.270)`; both multiplied by `scale`. The value alone where it has no interval."""
    if interval is None:
        return f"{scale * value:.{digits}f}"
    low, high = interval
    return f"{scale * value:.{digits}f} ({scale * low:.{digits}f} to {scale * high:.{digits}f})"

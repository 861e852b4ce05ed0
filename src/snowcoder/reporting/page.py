"""Renders a report as one self-contained HTML file: figures inside, no scripts, nothing fetched; light or dark as the system is.

in: a document; of each of its figures two SVG texts, wide and narrow   out: HTML
"""

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from snowcoder.reporting.document import Document, Figure, Listing

CODE = re.compile(r"`([^`]+)`")
TEMPLATE = Path(__file__).with_name("report.html.jinja")


def render_page(document: Document, figures: Mapping[str, tuple[str, str]]) -> str:
    """The whole report; `figures`: the SVG texts by the figure's name, without `.png`."""

    def svg(figure: Figure) -> tuple[Markup, Markup]:
        wide, narrow = figures[Path(figure.file_name).stem]
        return Markup(wide), Markup(narrow)

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters["prose"] = _prose
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    environment.tests["listing"] = lambda block: isinstance(block, Listing)
    return environment.from_string(TEMPLATE.read_text()).render(document=document, svg=svg)


def _prose(text: str) -> Markup:
    """A sentence whose `code` is set as code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))

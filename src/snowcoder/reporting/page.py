"""A report as one HTML file that needs nothing else: figures inside, no scripts, nothing fetched; light or dark as the reader's system."""

import base64
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from snowcoder.reporting.document import Document, Figure, Listing
from snowcoder.reporting.page_template import TEMPLATE


def render_page(document: Document, figures: Path) -> str:
    """The whole report; `figures` is the folder of its PNG files."""

    def inline(figure: Figure) -> str:
        return "data:image/png;base64," + base64.b64encode((figures / figure.file_name).read_bytes()).decode()

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    environment.tests["listing"] = lambda block: isinstance(block, Listing)
    return environment.from_string(TEMPLATE).render(document=document, inline=inline)

"""Turns a figure into SVG that follows the page's theme: its colours for ink, lines and ground, its font, and unique ids.

in: a matplotlib figure   out: SVG text to put into HTML, the same bytes for the same figure
"""

import io
import re
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

# Text stays text: it can be selected, and the page's font size and ink hold for it
SVG_STYLE: dict[Any, Any] = {"svg.fonttype": "none"}
# What a figure draws in, and the property of the page's style sheet that takes its place
PAGE_COLOURS = {"#000000": "currentColor", "#222222": "currentColor", "#ffffff": "var(--card)", "#e8e8e8": "var(--line)"}
UNUSED_NAME = re.compile(r' id="(?!\w{11}")[a-zA-Z_.\d]+"')  # clip paths and markers, which are referred to, have hashes for names


def page_svg(canvas: Canvas, name: str) -> str:
    """The `<svg>` element of a figure. name: unique in the page, since clip paths and markers are named after it."""
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = UNUSED_NAME.sub("", text)
    for colour, page_colour in PAGE_COLOURS.items():
        text = text.replace(colour, page_colour)
    return re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", text, count=1), count=1)

"""Renders a report as Markdown, with links to the figures next to it."""

import re

from snowcoder.reporting.document import Block, Document, Figure, Listing, Section


def render_markdown(document: Document) -> str:
    """The whole report; ends in a newline."""
    parts = [f"# {document.title}", "\n".join(f"- {finding}" for finding in document.findings)]
    parts += [_section(section) for section in document.sections]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> str:
    return "\n\n".join([f"## {section.title}", *section.paragraphs, *(_block(block) for block in section.blocks)])


def _block(block: Block) -> str:
    if isinstance(block, Listing):
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", block.code)), default=0))
        title = block.title.replace("&", "&amp;").replace("<", "&lt;")
        return f"<details><summary>{title}</summary>\n\n{fence}{block.language}\n{block.code.rstrip()}\n{fence}\n\n</details>"
    if isinstance(block, Figure):
        return f"![{block.description}]({block.file_name})\n\n*{block.caption}*"
    alignment = [":---"] * block.text_columns + ["---:"] * (len(block.columns) - block.text_columns)
    rows = [block.columns, alignment, *block.rows]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return f"{table}\n\n*{block.caption}*" if block.caption else table

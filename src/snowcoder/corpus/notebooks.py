"""Jupyter notebooks as code: the code cells in their order, the text between them as comments.

in: text of an .ipynb file (nbformat 3 or 4)  out: Python text. Outputs and metadata are left out, for they are data. What only IPython
understands becomes comments, so that the rest can be parsed (snowcoder.corpus.ipython_cells); a cell of Python comes out as it is, without
the blank lines around it.
"""

import json
import re
from typing import Any

from snowcoder.corpus.ipython_cells import python_cell


class NotebookError(Exception):
    """A notebook that gives no code; `reason` is what it is counted under."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def notebook_code(text: str) -> str:
    """Python text of a notebook. Raises NotebookError: notebook_unreadable (no notebook's JSON), notebook_not_python."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        language = _language(notebook)
        parts = [part for cell in cells if (part := _cell_text(cell))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotebookError("notebook_unreadable") from error
    if language not in ("python", "ipython"):
        raise NotebookError("notebook_not_python")
    return "\n\n".join(parts) + "\n" if parts else ""


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata", {})
    stated = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language") or "python"
    return re.sub(r"[\d.]+$", "", str(stated).lower())


def _cell_text(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    text = ("".join(source) if isinstance(source, list) else source).strip("\n")
    if not text.strip():
        return ""
    if cell["cell_type"] != "code":
        return "\n".join(f"# {line}".rstrip() for line in text.split("\n"))
    return python_cell(text)

"""Turns Jupyter notebooks into code: the code cells in order, with the text between them as comments.

in: text of an .ipynb file (nbformat 2, 3 or 4)  out: Python text. Outputs and metadata are data and are left out. What only IPython
understands becomes comments, so that the rest can be parsed (snowcoder.corpus.ipython_cells); a Python cell stays as it is, without
the blank lines around it.
"""

import json
import re
from typing import Any

from snowcoder.corpus.ipython_cells import python_cell

# pyspark: the kernel of sparkmagic, whose cells are Python
_PYTHON_NAMES = frozenset({"python", "ipython", "pyspark", "micropython", "circuitpython"})
# A kernel is often named after an environment; these names say another language where the notebook states none.
_OTHER_KERNELS = re.compile(r"(?:ir|julia|bash|javascript|xcpp|octave|matlab|scala|ruby|rust|sos|\.net)(?![a-z])", re.IGNORECASE)


class NotebookError(Exception):
    """A notebook that gives no code; `reason` is what it is counted under."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def notebook_code(text: str) -> str:
    """Python text of a notebook. Raises NotebookError: notebook_unreadable (no notebook's JSON), notebook_not_python."""
    try:
        notebook = json.loads(text.removeprefix("\ufeff"))
        cells = notebook["cells"] if "cells" in notebook else [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        language = _language(notebook, cells)
        parts = [part for cell in cells if (part := _cell_text(cell))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotebookError("notebook_unreadable") from error
    if not _is_python(language):
        raise NotebookError("notebook_not_python")
    return "\n\n".join(parts) + "\n" if parts else ""


def _language(notebook: dict[str, Any], cells: list[dict[str, Any]]) -> str:
    """What the notebook says of itself, else what its kernel is called, else Python unless all code cells are of others."""
    metadata = notebook.get("metadata", {})
    kernel = _part(metadata, "kernelspec")
    stated = _part(metadata, "language_info").get("name") or kernel.get("language") or metadata.get("language")
    if not stated and (other := _OTHER_KERNELS.match(str(kernel.get("name", "")))):
        stated = other.group()
    of_cells = [_cell_language(cell) for cell in cells if cell["cell_type"] == "code"]
    return str(stated or next(filter(_is_python, of_cells), of_cells[0] if of_cells else "python"))


def _cell_language(cell: dict[str, Any]) -> str:
    """Of a code cell: nbformat 3 writes it into each, editors of notebooks in several languages into its metadata."""
    metadata = _part(cell, "metadata")
    stated = (_part(metadata, "vscode").get("languageId"), _part(metadata, "polyglot_notebook").get("kernelName"), cell.get("language"))
    return next((str(language) for language in stated if language), "python")


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of that name; an empty one where there is none."""
    part = record.get(name)
    return part if isinstance(part, dict) else {}


def _is_python(language: str) -> bool:
    return re.sub(r"[\s\d.]+$", "", language.lower()) in _PYTHON_NAMES


def _cell_text(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input")) or ""
    text = ("".join(source) if isinstance(source, list) else source).strip("\n")
    if not text.strip():
        return ""
    if cell["cell_type"] != "code" or not _is_python(_cell_language(cell)):
        return "\n".join(f"# {line}".rstrip() for line in text.split("\n"))
    return python_cell(text)

"""snowcoder.corpus.notebooks: code cells as code, all else as comments."""

import ast
import json
from typing import Any

import pytest

from snowcoder.corpus.notebooks import NotebookError, notebook_code


def notebook(cells: list[tuple[str, Any]], **metadata: Any) -> str:
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


def test_cells_become_one_text_that_parses() -> None:
    text = notebook(
        [
            ("markdown", ["# Title\n", "\n", "Some words."]),
            ("code", "import os\n%matplotlib inline\n!ls\nfiles = !ls\nlen?\nx = 5 % 3"),
            ("code", []),
            ("code", "%%bash\nls -l | wc"),
            ("raw", "raw text"),
            ("code", ["def f():\n", "    return 1"]),
        ],
        kernelspec={"language": "python"},
    )
    code = notebook_code(text)
    ast.parse(code)
    assert code == (
        "# # Title\n#\n# Some words.\n\nimport os\n# %matplotlib inline\n# !ls\n# files = !ls\n# len?\nx = 5 % 3\n\n"
        "# %%bash\n# ls -l | wc\n\n# raw text\n\ndef f():\n    return 1\n"
    )


@pytest.mark.parametrize("cell", ['print("%d of %d"\n      % (3, 4))\n', "ok = (1\n      != 2)\n", '"""\nWhat is this?\n"""\n'])
def test_a_cell_of_python_comes_out_as_it_is(cell: str) -> None:
    assert notebook_code(notebook([("code", cell.splitlines(keepends=True))])) == cell


def test_notebooks_of_version_3_are_read_too() -> None:
    sheet = {"cells": [{"cell_type": "code", "input": ["x = 1\n"]}]}
    assert notebook_code(json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [sheet]})) == "x = 1\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "notebook_unreadable"),
        ("[]", "notebook_unreadable"),
        ('{"cells": [1]}', "notebook_unreadable"),
        ('{"cells": [{"cell_type": "code", "source": [1]}]}', "notebook_unreadable"),
        ('{"cells": [], "metadata": []}', "notebook_unreadable"),
        ("[" * 100_000, "notebook_unreadable"),
        (notebook([("code", "x <- 1")], kernelspec={"language": "R"}), "notebook_not_python"),
        (notebook([("code", "x = 1")], language_info={"name": "julia"}), "notebook_not_python"),
    ],
)
def test_what_gives_no_code_has_its_reason(text: str, reason: str) -> None:
    with pytest.raises(NotebookError, match=reason):
        notebook_code(text)


def test_no_cell_is_no_code() -> None:
    assert notebook_code(notebook([])) == ""

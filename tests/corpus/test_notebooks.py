"""snowcoder.corpus.notebooks: code cells become code, everything else comments."""

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


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": None, "language_info": None},
        {"kernelspec": "python3"},
        {"kernelspec": {"name": "conda-env-irene-py"}},
        {"language_info": {"name": "Python 3.10"}},
        {"kernelspec": {"language": ""}, "language_info": {"name": "pyspark"}},
    ],
)
def test_metadata_of_python_notebooks_as_tools_write_it(metadata: dict[str, Any]) -> None:
    assert notebook_code(notebook([("code", "x = 1")], **metadata)) == "x = 1\n"


@pytest.mark.parametrize(
    "text",
    [
        notebook([("code", "x <- 1")], kernelspec={"name": "ir", "display_name": "R"}),
        notebook([("code", "x = 1")], kernelspec={"name": "julia-1.6"}),
        json.dumps({"metadata": {"language": "Julia"}, "worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}),
        json.dumps({"metadata": {}, "worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1", "language": "julia"}]}]}),
    ],
)
def test_another_language_shows_in_the_kernel_or_the_cells_too(text: str) -> None:
    with pytest.raises(NotebookError, match="notebook_not_python"):
        notebook_code(text)


def test_a_byte_order_mark_and_a_cell_without_text_are_no_fault() -> None:
    assert notebook_code("\ufeff" + notebook([("code", None), ("code", "x = 1")])) == "x = 1\n"


def test_a_cell_of_another_language_becomes_comments() -> None:
    cells = [
        {"cell_type": "code", "source": "SELECT 1\nFROM t", "metadata": {"vscode": {"languageId": "sql"}}},
        {"cell_type": "code", "source": "x = 1", "metadata": {"vscode": {"languageId": "python"}}},
    ]
    assert notebook_code(json.dumps({"metadata": {}, "cells": cells})) == "# SELECT 1\n# FROM t\n\nx = 1\n"

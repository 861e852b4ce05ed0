"""Markdown answers as code files, checked by hand."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.corpus.instructions import fenced_code, with_statement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", ("x = 1\n", None)),
        ("```python\nx = 1\n```", ("x = 1\n", "python")),
        ("Look:\n```py\nx = 1\n```\nand then\n```python\ny = 2\n```\n```bash\npython x.py\n```", ("x = 1\n\ny = 2\n", "python")),
        ("```C++\nint x;\n```", ("int x;\n", "cpp")),
        ("```\nx\n```", ("x\n", None)),
        ("```rust\nfn f() {}", ("fn f() {}\n", "rust")),  # cut off
        ("Use `x` and ```inline``` only", ("Use `x` and ```inline``` only", None)),
        ("1. Run\n   ```sh\n   ls\n   ```", ("   ls\n", "shell")),
    ],
)
def test_the_code_of_an_answer(text: str, expected: tuple[str, str | None]) -> None:
    assert fenced_code(text) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("python", '"""Do it.\nWell.\n"""\n\n\nx\n'),
        ("shell", "# Do it.\n# Well.\n\nx\n"),
        ("sql", "-- Do it.\n-- Well.\n\nx\n"),
        ("html", "<!--\nDo it.\nWell.\n-->\n\nx\n"),
        ("java", "/*\nDo it.\nWell.\n*/\n\nx\n"),
        (None, "/*\nDo it.\nWell.\n*/\n\nx\n"),
    ],
)
def test_a_statement_is_a_comment_of_the_language(language: str | None, expected: str) -> None:
    assert with_statement("Do it.\nWell.\n", "x\n", language) == expected
    assert with_statement("  ", "x\n", language) == "x\n"


def test_a_statement_cannot_end_its_comment() -> None:
    assert with_statement("a */ b", "x", "c") == "/*\na * / b\n*/\n\nx"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\f"), max_size=60))
def test_python_keeps_any_statement_as_its_docstring(statement: str) -> None:
    tree = ast.parse(with_statement(statement, "x = 1\n", "python"))
    assert ast.get_docstring(tree, clean=False) == (statement.strip() + "\n" if statement.strip() else None)

"""How much of a file is comments, imports, prints, passes and asserts: told by how its lines begin, in one pass whatever the language.

A line inside a string counts as what it looks like; a docstring is no comment.
"""

import re

_HASH, _SLASH, _DASH = ("#",), ("//", "/*", "*"), ("--", "/*", "*")
COMMENT_STARTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("python", "jupyter-notebook", "ruby", "shell", "yaml"), _HASH),
    **dict.fromkeys(
        ("c", "cpp", "csharp", "css", "dart", "go", "java", "javascript", "kotlin", "php", "rust", "scala", "swift", "typescript"), _SLASH
    ),
    "sql": _DASH,
}
_PYTHON_STATEMENTS = {
    "import_line_fraction": re.compile(r"import\b|from\b.*\bimport\b"),
    "print_line_fraction": re.compile(r"print\s*\("),
    "pass_line_fraction": re.compile(r"pass\b"),
    "assert_line_fraction": re.compile(r"assert\b|self\.assert\w*\("),
}


def comment_fraction(language: str, lines: list[str]) -> float | None:
    """Characters of the lines that are comments / characters of all lines, white space around them aside; None: comments not known."""
    starts = COMMENT_STARTS.get(language)
    if starts is None:
        return None
    stripped = list(map(str.strip, lines))
    total = sum(map(len, stripped))
    return sum(len(line) for line in stripped if line.startswith(starts)) / total if total else 0.0


def python_line_fractions(lines: list[str]) -> dict[str, float]:
    """Signal -> lines of Python that begin with such a statement / lines that are not blank."""
    stripped = [line for line in map(str.strip, lines) if line]
    n_lines = max(1, len(stripped))
    return {name: sum(1 for line in stripped if begin.match(line)) / n_lines for name, begin in _PYTHON_STATEMENTS.items()}

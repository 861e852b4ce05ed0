"""How much of a file is comments, and how much imports: told by how its lines begin, in one pass whatever the language.

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
_PYTHON_IMPORT = re.compile(r"import\b|from\b.*\bimport\b")


def comment_fraction(language: str, lines: list[str]) -> float | None:
    """Characters of the lines that are comments / characters of all lines, white space around them aside; None: comments not known."""
    starts = COMMENT_STARTS.get(language)
    if starts is None:
        return None
    stripped = list(map(str.strip, lines))
    total = sum(map(len, stripped))
    return sum(len(line) for line in stripped if line.startswith(starts)) / total if total else 0.0


def import_line_fraction(lines: list[str]) -> float:
    """Lines of Python that import / lines that are not blank."""
    stripped = [line for line in map(str.strip, lines) if line]
    return sum(1 for line in stripped if _PYTHON_IMPORT.match(line)) / len(stripped) if stripped else 0.0

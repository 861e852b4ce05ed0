"""Measures every signal of a file once; rules compare these numbers later, so that a new threshold needs no new measurement.

in: path, language and content of one file  out: one number per name of SIGNALS, None where the signal does not exist for the language.
No signal depends on a parameter. SYNTAX_SIGNAL is measured of many files at once (snowcoder.filtering.measuring), all others here. Words
are split at white space; fractions are between 0 and 1. Shares of comments, imports, prints, passes and asserts follow from how lines
begin, whatever the language: a line inside a string counts as what it looks like; a docstring is no comment.
"""

import re
from html.parser import HTMLParser

import numpy as np

from snowcoder.filtering.encoded import encoded_run_lengths
from snowcoder.filtering.generated import has_generated_name, marker_line
from snowcoder.filtering.repetition import NGRAM_SIGNALS, repeated_line_fraction, repeated_ngram_fractions

SYNTAX_SIGNAL = "syntax_error_line"
# snowcoder.filtering.rules says of each what it is
SIGNALS = (
    *("words", "lines", "line_chars", "mean_line_chars", "generated_marker_line", "generated_name", "xml_declaration"),
    *("alphabetic_fraction", "digit_fraction", "whitespace_fraction", "replacement_fraction", "encoded_run_chars", "encoded_fraction"),
    *("visible_text_chars", "visible_text_fraction", "repeated_line_fraction", *NGRAM_SIGNALS, "comment_fraction"),
    *("import_line_fraction", "print_line_fraction", "pass_line_fraction", "assert_line_fraction", SYNTAX_SIGNAL),
)
PYTHON = frozenset({"python", "jupyter-notebook"})
XML_HEAD_CHARS = 100
# Classes of ASCII characters, as bits of one table
_CLASS_BITS = {"alphabetic_fraction": 1, "digit_fraction": 2, "whitespace_fraction": 4}
_CLASS_TESTS = {"alphabetic_fraction": str.isalpha, "digit_fraction": str.isdigit, "whitespace_fraction": str.isspace}
_OTHER = 255


def measure(path: str, language: str, content: str) -> dict[str, float | None]:
    """Every signal of one file, in the order of SIGNALS; SYNTAX_SIGNAL is None."""
    lines = content.split("\n")
    lengths = list(map(len, lines))
    codes = ascii_codes(content)
    runs = encoded_run_lengths(content, codes)
    n_chars = max(1, len(content))
    found: dict[str, float | None] = dict.fromkeys(SIGNALS)
    words = content.split()
    found |= {
        "words": len(words),
        "lines": len(lines),
        "line_chars": max(lengths),
        "mean_line_chars": sum(lengths) / len(lines),
        "generated_marker_line": marker_line(content),
        "generated_name": int(has_generated_name(path)),
        "xml_declaration": int("<?xml version=" in content[:XML_HEAD_CHARS]),
        "encoded_run_chars": max(runs, default=0),
        "encoded_fraction": sum(runs) / n_chars,
        "repeated_line_fraction": repeated_line_fraction(lines),
        "comment_fraction": comment_fraction(language, lines),
        **{name: count / n_chars for name, count in _character_counts(content, codes).items()},
        **repeated_ngram_fractions(words),
    }
    if language == "html":
        n_visible = min(len(visible_text(content)), n_chars)  # blanks between its parts can make a tiny text longer than it is
        found |= {"visible_text_chars": n_visible, "visible_text_fraction": n_visible / n_chars}
    if language in PYTHON:
        found |= python_line_fractions(lines)
    return found


def ascii_codes(content: str) -> np.ndarray:
    """uint8[len(content)]: the characters, 255 for each that is not ASCII."""
    if content.isascii():
        return np.frombuffer(content.encode("ascii"), dtype=np.uint8)
    points = np.frombuffer(content.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.where(points < 128, points, _OTHER).astype(np.uint8)


def _character_counts(content: str, codes: np.ndarray) -> dict[str, int]:
    """Characters by class; those beyond ASCII one by one, as Unicode has it."""
    classes = _CLASSES[codes]
    beyond = [] if content.isascii() else [content[place] for place in np.flatnonzero(codes == _OTHER).tolist()]
    counts = {name: int(np.count_nonzero(classes & bit)) + sum(map(_CLASS_TESTS[name], beyond)) for name, bit in _CLASS_BITS.items()}
    return counts | {"replacement_fraction": beyond.count("\ufffd")}


_CLASSES = np.array(
    [sum(bit for name, bit in _CLASS_BITS.items() if code < 128 and _CLASS_TESTS[name](chr(code))) for code in range(256)], dtype=np.uint8
)
_INVISIBLE_TAGS = frozenset({"script", "style", "template", "head"})


def visible_text(html: str) -> str:
    """The text a browser would show, whitespace collapsed; scripts, styles and the head left out."""
    parser = _VisibleText()
    parser.feed(html)
    parser.close()
    return " ".join(" ".join(parser.parts).split())


class _VisibleText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _INVISIBLE_TAGS:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


COMMENT_STARTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("python", "jupyter-notebook", "ruby", "shell", "yaml"), ("#",)),
    **dict.fromkeys(("c", "cpp", "csharp", "css", "dart", "go", "java", "javascript", "kotlin", "php", "rust"), ("//", "/*", "*")),
    **dict.fromkeys(("scala", "swift", "typescript"), ("//", "/*", "*")),
    "sql": ("--", "/*", "*"),
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

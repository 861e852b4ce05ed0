"""Splits text that does not parse as Python into tokens: Python 2, excerpts, listings in prose, other languages.

Tokens are words, numbers and operators; brackets, commas, colons and quotes are left out, so that a formatter changes none. Comments and
docstrings are skipped. Names are words that are neither Python's keywords and builtins nor attributes.
"""

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snowcoder.decontamination.embedded_code import holds_code, unescape
from snowcoder.decontamination.token_stream import TokenStream, make_stream

_TOKEN = re.compile(
    r"#[^\n]*|\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''"  # skipped
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<word>\.?[^\W\d]\w*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<operator>[-+*/%<>=!&|^~]+)"
)
_LITERAL_WORDS = frozenset(dir(builtins)) | frozenset(keyword.kwlist)


@dataclass(frozen=True, slots=True)
class LexedText:
    """stream: the tokens. spans: int64[n, 2], first character and one past the last of each. strings: (value, span) of those that hold
    code and are written as in JSON.
    """

    stream: TokenStream
    spans: np.ndarray
    strings: list[tuple[str, tuple[int, int]]]

    def embedded(self) -> Iterator[str]:
        """The value of each string that holds code."""
        return (value for value, _ in self.strings)

    def embedded_span(self, number: int) -> tuple[int, int]:
        """(first character, one past the last) of the string that `embedded` returns at that place."""
        return self.strings[number][1]

    def span(self, start: int, count: int) -> tuple[int, int]:
        """(first character, one past the last) of `count` tokens from `start` on."""
        return int(self.spans[start, 0]), int(self.spans[start + count - 1, 1])


def lex(text: str) -> LexedText:
    """Any text as tokens."""
    tokens, is_name, spans, strings = [], [], [], []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        token = match.group()
        tokens.append(f"string {token[1:-1]}" if kind == "string" else token)
        is_name.append(kind == "word" and token[0] != "." and token not in _LITERAL_WORDS)
        spans.append(match.span())
        if kind == "string" and "\\n" in token and holds_code(value := unescape(token)):
            strings.append((value, match.span()))
    return LexedText(make_stream(tokens, is_name), np.array(spans, dtype=np.int64).reshape(-1, 2), strings)

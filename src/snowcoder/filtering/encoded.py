"""Finds data written as text: base64, hexadecimal bytes and \\u escapes, as StarCoder2 does (arXiv 2402.19173, section 3.1).

A run is base64 of 64 or more characters (over line ends), 8 or more hexadecimal bytes, or 8 or more \\u escapes.
"""

import re
from collections.abc import Iterator

import numpy as np

MIN_BASE64_CHARS = 64
MIN_HEX_CHARS = 16
MIN_ESCAPES = 8

# Possessive quantifiers: linear time on any text. Not of groups: before 3.11.5 Python counts a part of an item that does not match
# (cpython#106052), and what follows them cannot fail.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{64,}+[\r\n]*+)+(?:[A-Za-z0-9+/]++={0,2}+)?")
_HEX = re.compile(r"[0-9a-fA-F]{16,}+|(?:(?:0x|\\x)[0-9a-fA-F]{2}[,\s]*+){8,}|(?:\b[0-9a-fA-F]{2}[,\s]++){8,}")
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}")
_BYTE_LIST = re.compile(r"(?<![0-9A-Za-z_])[0-9a-fA-F]{2}[,\s]++[0-9a-fA-F]{2}[,\s]")


def encoded_run_lengths(content: str, codes: np.ndarray) -> list[int]:
    """Characters of every encoded run. codes: uint8[n], the text's characters, 255 for all that are not ASCII."""
    return [len(match.group()) for pattern in _possible(content, codes) for match in pattern.finditer(content)]


def _possible(content: str, codes: np.ndarray) -> Iterator[re.Pattern[str]]:
    """The patterns that can match at all: a run of letters is far faster found in an array than by a regular expression."""
    if _longest_run(_BASE64_TABLE[codes]) >= MIN_BASE64_CHARS:
        yield _BASE64
    escaped = content.count("\\x") + content.count("0x") >= MIN_ESCAPES
    if escaped or _longest_run(_HEX_TABLE[codes]) >= MIN_HEX_CHARS or _BYTE_LIST.search(content):
        yield _HEX
    if content.count("\\u") >= MIN_ESCAPES:
        yield _ESCAPES


def _longest_run(members: np.ndarray) -> int:
    """Length of the longest run of True."""
    gaps = np.flatnonzero(~members)
    if not gaps.size:
        return members.size
    return int(max(gaps[0], members.size - gaps[-1] - 1, np.diff(gaps).max(initial=1) - 1))


def _table(characters: str) -> np.ndarray:
    table = np.zeros(256, dtype=bool)
    table[[ord(character) for character in characters]] = True
    return table


_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BASE64_TABLE = _table(_DIGITS + _LETTERS + _LETTERS.upper() + "+/")
_HEX_TABLE = _table(_DIGITS + "abcdefABCDEF")

"""Turns text into a stream of words: identifiers, keywords and numbers in lower case, without white space and punctuation.

So a copy is recognised under any indentation, line breaks, quotes, trailing commas and brackets, that is after any formatter, a
docstring also if it has become a comment, and code also inside a string literal, whose `\\n`, `\\t` and `\\u279e` count as white
space. Not recognised by words: renamed variables (see token_stream) and translations into another language.

A word is what `\\w+` matches. Words are found and hashed in arrays, for a corpus has many.
"""

from dataclasses import dataclass

import numpy as np

# Odd, so that multiplication modulo 2**64 loses nothing
_POWER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_BACKSLASH, _HASH_SIGN, _NEWLINE = 92, 35, 10
_ESCAPED = np.array([ord(character) for character in "nrt"])
_U, _CODE_DIGITS = ord("u"), 4


@dataclass(frozen=True, slots=True)
class WordStream:
    """hashes: uint64[n], the same for the same word in any text. starts, ends: int64[n], its first character and one past its last."""

    hashes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return self.hashes.size

    def window(self, start: int, count: int) -> np.ndarray:
        """uint64[count]: the words from number `start` on; shorter at the end of the text."""
        return self.hashes[start : start + count]

    def select(self, chosen: np.ndarray) -> "WordStream":
        """Some of the words. chosen: bool[n], or a slice."""
        return WordStream(self.hashes[chosen], self.starts[chosen], self.ends[chosen])

    def span(self, start: int, count: int) -> tuple[int, int]:
        """(first character, one past the last) of `count` words from number `start` on."""
        return int(self.starts[start]), int(self.ends[start + count - 1])


def read_words(text: str) -> WordStream:
    """The words of a text."""
    return _words_of(_characters(text))


def word_forms(text: str) -> list[WordStream]:
    """The words of a text and, if that differs, those outside `#` comments: comments added to a copy, or changed in it, do not hide it."""
    characters = _characters(text)
    words = _words_of(characters)
    if not (characters == _HASH_SIGN).any():
        return [words]
    places = np.arange(characters.size)
    last_hash = np.maximum.accumulate(np.where(characters == _HASH_SIGN, places, -1))
    last_newline = np.maximum.accumulate(np.where(characters == _NEWLINE, places, -1))
    outside = last_hash[words.starts] <= last_newline[words.starts]
    return [words] if outside.all() else [words, words.select(outside)]


def _characters(text: str) -> np.ndarray:
    """uint32[len(text)]: code points, in lower case where that is one character."""
    if text.isascii():
        return _ASCII_LOWER[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).copy()
    for point in np.unique(points).tolist():
        lowered = chr(point).lower()
        if len(lowered) == 1 and ord(lowered) != point:
            points[points == point] = ord(lowered)
    return points


def _words_of(characters: np.ndarray) -> WordStream:
    inside = np.zeros(characters.size + 2, dtype=bool)
    inside[1:-1] = _word_characters(characters)
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2], edges[1::2]
    if not starts.size:
        return WordStream(np.empty(0, dtype=np.uint64), starts, ends)
    places = np.flatnonzero(inside[1:-1])
    lengths = ends - starts
    first = np.cumsum(lengths) - lengths
    powers = np.multiply.accumulate(np.full(int(lengths.max()), _POWER, dtype=np.uint64))
    weighted = (characters[places].astype(np.uint64) + np.uint64(1)) * powers[places - np.repeat(starts, lengths)]
    hashes = np.add.reduceat(weighted, first)
    hashes = (hashes ^ (hashes >> np.uint64(31))) * _MIX
    return WordStream(hashes ^ (hashes >> np.uint64(29)), starts, ends)


def _word_characters(characters: np.ndarray) -> np.ndarray:
    """bool[n]: what belongs to a word; the letter of an escaped line end or tab does not, nor a `\\u` and its four hexadecimal digits."""
    inside = _ASCII_WORD[np.minimum(characters, 128)]
    beyond = np.flatnonzero(characters >= 128)
    if beyond.size:
        kinds = np.unique(characters[beyond])
        belongs = np.array([chr(kind).isalnum() for kind in kinds.tolist()])
        inside[beyond] = belongs[np.searchsorted(kinds, characters[beyond])]
    escapes = np.flatnonzero(characters[:-1] == _BACKSLASH) + 1
    inside[escapes[np.isin(characters[escapes], _ESCAPED)]] = False
    codes = escapes[(characters[escapes] == _U) & (escapes + _CODE_DIGITS < characters.size)]
    places = codes[:, None] + np.arange(_CODE_DIGITS + 1)
    inside[places[_ASCII_HEXADECIMAL[np.minimum(characters[places[:, 1:]], 128)].all(axis=1)]] = False
    return inside


_ASCII_LOWER = np.array([ord(chr(code).lower()) if code < 128 else code for code in range(256)], dtype=np.uint32)
_ASCII_HEXADECIMAL = np.array([code < 128 and chr(code) in "0123456789abcdef" for code in range(129)])
_ASCII_WORD = np.array([code < 128 and (chr(code).isalnum() or chr(code) == "_") for code in range(129)])

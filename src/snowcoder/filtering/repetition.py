"""Measures how much of a text repeats, in lines and in runs of words.

As Gopher measures it (arXiv 2112.11446, table A1), which OpenCoder applies to code: words are split at white space, a run counts by its
characters, and the first occurrence of a run is no repetition.
"""

import numpy as np

NGRAM_WORDS = (5, 6, 10)
NGRAM_SIGNALS = tuple(f"repeated_{n}gram_fraction" for n in NGRAM_WORDS)
# Odd, so that multiplication modulo 2**64 loses nothing; unlike each other, so that small numbers spread over all bits
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xBF58476D1CE4E5B9)


def repeated_line_fraction(lines: list[str]) -> float:
    """Lines that repeat an earlier one / lines; white space around a line does not count, nor do blank lines."""
    stripped = [line for line in map(str.strip, lines) if line]
    return 1 - len(set(stripped)) / len(stripped) if stripped else 0.0


def repeated_ngram_fractions(words: list[str]) -> dict[str, float]:
    """NGRAM_SIGNALS: characters of words in a run of n words that occurred earlier in the text / characters of all words."""
    if not words:
        return dict.fromkeys(NGRAM_SIGNALS, 0.0)
    numbers: dict[str, int] = {}
    order = np.fromiter((numbers.setdefault(word, len(numbers)) for word in words), dtype=np.int64, count=len(words))
    lengths = np.fromiter(map(len, numbers), dtype=np.int64, count=len(numbers))[order]
    characters = np.concatenate([[0], np.cumsum(lengths)])
    hashes = (order.astype(np.uint64) + np.uint64(1)) * _SPREAD
    hashes ^= hashes >> np.uint64(32)
    counts = (_repeated(hashes, characters, n) for n in NGRAM_WORDS)
    return dict(zip(NGRAM_SIGNALS, (count / int(characters[-1]) for count in counts), strict=True))


def _repeated(hashes: np.ndarray, characters: np.ndarray, n: int) -> int:
    """Characters of the words in an n-gram that occurred earlier."""
    grams = _ngrams(hashes, n)
    repeats = np.ones(grams.size, dtype=bool)
    repeats[np.unique(grams, return_index=True)[1]] = False
    starts = np.flatnonzero(repeats)
    if not starts.size:
        return 0
    # a run covers its n words, or those up to the next run's start where that comes first
    ends = np.minimum(starts + n, np.append(starts[1:], hashes.size))
    return int((characters[ends] - characters[starts]).sum())


def _ngrams(hashes: np.ndarray, n: int) -> np.ndarray:
    """uint64[len - n + 1], empty if shorter: equal for equal runs of n words."""
    count = max(0, len(hashes) - n + 1)
    grams = np.zeros(count, dtype=np.uint64)
    for offset in range(n if count else 0):
        grams = grams * _MULTIPLIER + hashes[offset : offset + count]
    return grams

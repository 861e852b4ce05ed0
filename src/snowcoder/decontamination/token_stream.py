"""Turns code into a stream of tokens without names: each name is replaced by where it occurred before.

A token is a literal (keyword, operator, attribute, constant) or a name. In a window of tokens a name is replaced by the distance to its
previous occurrence in that window, 0 where it is new: two windows are equal exactly if one becomes the other by renaming (parameterised
matching, Baker 1993). So `total = total + x` and `s = s + v` are one window, `s = v + v` is another.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from snowcoder.deduplication.shingles import MULTIPLIER

_FAR = np.int64(1) << 60
# Odd: distances times this are spread over all 64 bits, and 0 (a new name) gets a number of its own
_DISTANCE = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class TokenStream:
    """literals: uint64[n], hash of a literal, 0 of a name. distances: int64[n], tokens since the same name, very large for none."""

    literals: np.ndarray
    distances: np.ndarray

    def __len__(self) -> int:
        return self.literals.size

    def window(self, start: int, count: int) -> np.ndarray:
        """uint64[count]: the tokens from `start` on, each name by its distance within the window."""
        distances = self.distances[start : start + count]
        within = np.where(distances <= np.arange(distances.size), distances, 0)
        return np.where(self.literals[start : start + count], self.literals[start : start + count], _spread(within))

    def ngrams(self, n: int) -> np.ndarray:
        """uint64[len - n + 1] (empty if shorter): equal where the windows of n tokens are equal up to renaming."""
        count = max(0, len(self) - n + 1)
        hashes = np.zeros(count, dtype=np.uint64)
        for offset in range(n if count else 0):
            literals, distances = self.literals[offset : offset + count], self.distances[offset : offset + count]
            names = _spread(np.where(distances <= offset, distances, 0))
            hashes = hashes * MULTIPLIER + np.where(literals, literals, names)
        return hashes


def make_stream(tokens: Sequence[str], is_name: Sequence[bool]) -> TokenStream:
    """A stream of tokens; a literal and a name of the same spelling are different."""
    names = np.asarray(is_name, dtype=bool)
    hashes = (0 if name else _literal(token) for token, name in zip(tokens, is_name, strict=True))
    return TokenStream(np.fromiter(hashes, dtype=np.uint64, count=len(tokens)), _distances(tokens, names))


@lru_cache(maxsize=1 << 16)
def _literal(token: str) -> int:
    """64 bits, never 0: the same on every machine."""
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") | 1


def _distances(tokens: Sequence[str], names: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(names)
    numbers: dict[str, int] = {}
    identities = np.fromiter((numbers.setdefault(tokens[place], len(numbers)) for place in places.tolist()), np.int64, places.size)
    order = np.argsort(identities, kind="stable")
    again = identities[order][1:] == identities[order][:-1]
    distances = np.full(names.size, _FAR, dtype=np.int64)
    distances[places[order][1:][again]] = (places[order][1:] - places[order][:-1])[again]
    return distances


def _spread(distances: np.ndarray) -> np.ndarray:
    return (distances.astype(np.uint64) + np.uint64(1)) * _DISTANCE

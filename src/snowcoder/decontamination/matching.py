"""Finds passages in a file by their n-grams, whole or in part.

Works on any kind of n-gram (words, tokens with names left open): a passage is found whole where its first n-gram occurs and all of its
tokens follow, and in part where enough of its distinct n-grams occur anywhere in the file.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of tokens of a problem. method: see snowcoder.decontamination.screen.

    tokens: uint64[n] for one that counts only as a whole, else None. grams: its distinct n-grams; of a whole one the first.
    code_tokens: of one that is code alone, its length in tokens of the syntax tree; None where it holds words of the statement or tests.
    """

    problem: int
    method: str
    tokens: np.ndarray | None
    grams: np.ndarray
    code_tokens: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found at tokens start .. start + count of a file. overlap: 1.0 for all of it, else the share of its n-grams.

    code_tokens: how many tokens of a syntax tree that share is, of a passage that is code alone; else None.
    """

    problem: int
    method: str
    overlap: float
    start: int
    count: int
    code_tokens: float | None


def make_passage(problem: int, method: str, tokens: np.ndarray, grams: np.ndarray, whole: bool, code_tokens: int | None = None) -> Passage:
    """A passage of `tokens`, whose n-grams by position are `grams`."""
    if whole:
        return Passage(problem, method, tokens.copy(), grams[:1].copy(), code_tokens)
    return Passage(problem, method, None, np.unique(grams), code_tokens)


class GramIndex:
    """n-grams (uint64) -> numbers of passages: sorted arrays, small to send to a worker, asked for all n-grams of a file at once."""

    def __init__(self, grams: Sequence[np.ndarray]) -> None:
        """grams: for each passage its n-grams, in the order of their numbers."""
        flat = np.concatenate([*grams, np.empty(0, dtype=np.uint64)]).astype(np.uint64)
        owners = np.repeat(np.arange(len(grams), dtype=np.int32), [len(part) for part in grams])
        order = np.argsort(flat, kind="stable")
        self._owners = owners[order]
        self._grams, self._starts = np.unique(flat[order], return_index=True)
        self._ends = np.append(self._starts[1:], flat.size)

    def find(self, grams: np.ndarray) -> list[tuple[int, int]]:
        """(position in `grams`, number of a passage that has that n-gram), sorted."""
        if not grams.size or not self._grams.size:
            return []
        places = np.minimum(np.searchsorted(self._grams, grams), self._grams.size - 1)
        positions = np.flatnonzero(self._grams[places] == grams)
        return [
            (int(position), int(owner))
            for position in positions
            for owner in self._owners[self._starts[places[position]] : self._ends[places[position]]]
        ]


class PassageIndex:
    """The passages of one kind of n-gram."""

    def __init__(
        self, passages: Sequence[Passage], benchmarks: Sequence[str], ngram_tokens: int, min_overlap: float, max_sharing: int
    ) -> None:
        """benchmarks: of each problem. max_sharing: an n-gram that more problems of a benchmark than this have in common is boilerplate,
        and counts for no share.
        """
        self.ngram_tokens = ngram_tokens
        self._min_overlap = min_overlap
        shared = _boilerplate(passages, benchmarks, max_sharing)
        nothing = np.empty(0, dtype=np.uint64)
        shares = [nothing if passage.tokens is not None else np.setdiff1d(passage.grams, shared, True) for passage in passages]
        self._sizes = [share.size for share in shares]
        self._first = GramIndex([nothing if passage.tokens is None else passage.grams for passage in passages])
        self._members = GramIndex(shares)
        self._passages = [(passage.problem, passage.method, passage.tokens, passage.code_tokens) for passage in passages]

    def find(self, grams: np.ndarray, window: Callable[[int, int], np.ndarray]) -> list[Hit]:
        """Every passage in a file. grams: the file's, by position; window(start, count): its tokens, shorter at its end."""
        return [*self._whole(grams, window), *self._in_part(grams)]

    def _whole(self, grams: np.ndarray, window: Callable[[int, int], np.ndarray]) -> list[Hit]:
        hits = []
        for position, number in self._first.find(grams):
            problem, method, tokens, code_tokens = self._passages[number]
            assert tokens is not None
            if np.array_equal(window(position, tokens.size), tokens):
                hits.append(Hit(problem, method, 1.0, position, tokens.size, code_tokens))
        return hits

    def _in_part(self, grams: np.ndarray) -> list[Hit]:
        found: dict[int, dict[int, int]] = defaultdict(dict)  # passage -> n-gram -> first position
        for position, number in self._members.find(grams):
            found[number].setdefault(int(grams[position]), position)
        hits = []
        for number, positions in found.items():
            overlap = len(positions) / self._sizes[number]
            if overlap >= self._min_overlap:
                start, count = _longest_run(sorted(positions.values()))
                problem, method, _, code_tokens = self._passages[number]
                matched = None if code_tokens is None else overlap * code_tokens
                hits.append(Hit(problem, method, overlap, start, count + self.ngram_tokens - 1, matched))
        return hits


def _boilerplate(passages: Sequence[Passage], benchmarks: Sequence[str], max_sharing: int) -> np.ndarray:
    """N-grams that occur in more than `max_sharing` problems of one benchmark; sorted."""
    names = sorted(set(benchmarks))
    shared = [np.empty(0, dtype=np.uint64)]
    for name in names:
        grams: dict[int, list[np.ndarray]] = defaultdict(list)
        for passage in passages:
            if passage.tokens is None and benchmarks[passage.problem] == name:
                grams[passage.problem].append(passage.grams)
        if grams:
            found, counts = np.unique(np.concatenate([np.unique(np.concatenate(parts)) for parts in grams.values()]), return_counts=True)
            shared.append(found[counts > max_sharing])
    return np.unique(np.concatenate(shared))


def _longest_run(positions: list[int]) -> tuple[int, int]:
    """(first, length) of the longest run of consecutive numbers, the first of equals."""
    best, start = (positions[0], 1), positions[0]
    for previous, position in pairwise(positions):
        start = start if position == previous + 1 else position
        if position - start + 1 > best[1]:
            best = (start, position - start + 1)
    return best

"""BenchmarkScreen: does a file hold a problem of a benchmark?

A file overlaps a problem if, in words (see normalise),
  solution   it contains the canonical solution whole (with the function's head, where the solution is too short to be matched alone),
  docstring  it contains the docstring's description whole (StarCoder2, arXiv 2402.19173, section 4: docstrings and solutions),
  ngram      it contains at least `min_ngram_overlap` of the n-grams of the prompt or of the solution: edited copies.
All n-grams of all problems stand in one sorted array, so that a file costs one look-up per word, however many problems there are.
Not found: renamed variables, other languages, problems of which every text is shorter than `min_match_tokens` (see `blind`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.normalise import excerpt, forms, words
from snowcoder.decontamination.passages import Passage, problem_passages
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.deduplication.shingles import hash_tokens, ngram_hashes

METHODS = ("solution", "docstring", "ngram")
MAX_EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Overlap:
    """Evidence. overlap: 1.0 for a whole passage, else the share of its n-grams found; matched_text: excerpt, <= 200 characters."""

    benchmark: str
    problem_id: str
    method: str
    matched_text: str
    overlap: float


@dataclass(frozen=True, slots=True)
class _Hit:
    """A passage found at words start .. start + count of a file."""

    passage: Passage
    overlap: float
    start: int
    count: int


class BenchmarkScreen:
    """All passages of some problems, indexed by their n-grams. Picklable."""

    def __init__(self, problems: Sequence[Problem], params: DecontaminationParams) -> None:
        self.problems = list(problems)
        self.params = params
        self._passages = [
            passage for number, problem in enumerate(problems) for passage in problem_passages(number, problem, params.min_match_tokens)
        ]
        self._hashes = [hash_tokens(passage.words) for passage in self._passages]
        self._ngrams = [np.unique(ngram_hashes(hashes, params.ngram_tokens)) for hashes in self._hashes]
        self._starts = self._index({number: [grams] for number, grams in enumerate(self._first_ngrams())}, METHODS[:2])
        self._members = self._index({number: grams.tolist() for number, grams in enumerate(self._ngrams)}, METHODS[2:])
        self._known = np.array(sorted(self._starts.keys() | self._members.keys()), dtype=np.uint64)

    @property
    def blind(self) -> list[Problem]:
        """The problems too short for any passage: no file is ever found to hold them."""
        seen = {passage.problem for passage in self._passages}
        return [problem for number, problem in enumerate(self.problems) if number not in seen]

    def match(self, content: str) -> Overlap | None:
        """The strongest overlap of a file with any problem: whole solution before docstring before n-grams, then the larger share."""
        for text in forms(content):
            hits = self._hits(words(text))
            if hits:
                best = min(hits, key=lambda hit: (METHODS.index(hit.passage.method), -hit.overlap, hit.passage.problem))
                problem = self.problems[best.passage.problem]
                matched = excerpt(text, best.start, best.count, MAX_EXCERPT_CHARACTERS)
                return Overlap(problem.benchmark, problem.problem_id, best.passage.method, matched, best.overlap)
        return None

    def _first_ngrams(self) -> list[int]:
        return [int(ngram_hashes(hashes[: self.params.ngram_tokens], self.params.ngram_tokens)[0]) for hashes in self._hashes]

    def _index(self, ngrams: dict[int, list[int]], methods: Sequence[str]) -> dict[int, list[int]]:
        """n-gram -> numbers of the passages of `methods` that it belongs to."""
        index: dict[int, list[int]] = defaultdict(list)
        for number, grams in ngrams.items():
            if self._passages[number].method in methods:
                for gram in grams:
                    index[gram].append(number)
        return dict(index)

    def _hits(self, file_words: list[str]) -> list[_Hit]:
        token_hashes = hash_tokens(file_words)
        grams = ngram_hashes(token_hashes, self.params.ngram_tokens)
        if not grams.size or not self._known.size:
            return []
        places = np.minimum(np.searchsorted(self._known, grams), self._known.size - 1)
        known = [(int(position), int(grams[position])) for position in np.flatnonzero(self._known[places] == grams)]
        return [*self._whole_hits(known, token_hashes), *self._share_hits(known)]

    def _whole_hits(self, known: list[tuple[int, int]], token_hashes: np.ndarray) -> Iterator[_Hit]:
        for position, gram in known:
            for number in self._starts.get(gram, ()):
                passage = self._hashes[number]
                if np.array_equal(token_hashes[position : position + passage.size], passage):
                    yield _Hit(self._passages[number], 1.0, position, passage.size)

    def _share_hits(self, known: list[tuple[int, int]]) -> Iterator[_Hit]:
        positions: dict[int, dict[int, int]] = defaultdict(dict)  # passage -> n-gram -> first position
        for position, gram in known:
            for number in self._members.get(gram, ()):
                positions[number].setdefault(gram, position)
        for number, found in positions.items():
            overlap = len(found) / self._ngrams[number].size
            if overlap >= self.params.min_ngram_overlap:
                start, count = _longest_run(sorted(found.values()))
                yield _Hit(self._passages[number], overlap, start, count + self.params.ngram_tokens - 1)


def _longest_run(positions: list[int]) -> tuple[int, int]:
    """(first, length) of the longest run of consecutive numbers, the first of equals."""
    best, start = (positions[0], 1), positions[0]
    for previous, position in pairwise(positions):
        start = start if position == previous + 1 else position
        if position - start + 1 > best[1]:
            best = (start, position - start + 1)
    return best

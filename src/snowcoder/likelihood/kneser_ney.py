"""Interpolated modified Kneser-Ney models of token ids: what a model must beat to have learned more than its last one or two tokens say.

in: training sequences of ids, or their NgramCounts   out: bits of encoded texts

Chen and Goodman (1998), "An Empirical Study of Smoothing Techniques for Language Modeling", section 3 (modified: discounts D1, D2 and D3+).
For a context h, its last ids h', and an id w:

    p(w | h) = max(c(h w) - D(c(h w)), 0) / c(h) + gamma(h) p(w | h'),   gamma(h) = (sum of D(c(h v)) over the ids v seen after h) / c(h)

c counts occurrences in the highest order; in a lower order, the distinct ids that were seen before the n-gram. The lowest order falls back
to 1 / vocab_size, a context that was never seen to the next shorter one. No n-gram crosses the border of two sequences. Each sequence
should be given once: repeats raise the counts that the discounts are estimated from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snowcoder.likelihood.ngram_counts import NgramCounts, count_ngrams, count_sorted
from snowcoder.likelihood.text_tokens import EncodedText

# Where counts of counts give no estimate (tiny or very even counts): those of KenLM's --discount_fallback
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class _Level:
    """One order. codes: sorted n-grams, own: count less discount. contexts: sorted, with their total counts and discounted sums."""

    codes: np.ndarray
    own: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    discounted: np.ndarray

    def refine(self, codes: np.ndarray, contexts: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """Probabilities of n-grams, given those of the next lower order; `lower` itself where the context was never seen."""
        if not len(self.codes):
            return lower
        place, is_seen = _find(self.contexts, contexts)
        ngram, is_known = _find(self.codes, codes)
        refined = (np.where(is_known, self.own[ngram], 0.0) + self.discounted[place] * lower) / self.totals[place]
        return np.where(is_seen, refined, lower)


class KneserNey:
    """A model of one order; 1 is that of token frequencies alone, 2 a bigram, 3 a trigram model."""

    def __init__(self, vocab_size: int, levels: Sequence[_Level]) -> None:
        self.vocab_size = vocab_size
        self._levels = levels

    @classmethod
    def fit(cls, sequences: np.ndarray, vocab_size: int, order: int) -> "KneserNey":
        """Train on ids [n_sequences, length]. Raises ValueError as count_ngrams does."""
        return cls.from_counts(count_ngrams(sequences, vocab_size, order), order)

    @classmethod
    def from_counts(cls, counts: NgramCounts, order: int) -> "KneserNey":
        """Train on counted n-grams, up to `order`. Raises ValueError if they were counted to a lower order."""
        if not 1 <= order <= counts.order:
            raise ValueError(f"KneserNey: order {order}; the n-grams are counted from order 1 to {counts.order}")
        levels = []
        for size in range(1, order + 1):
            if size == order:
                codes, times = counts.codes[size - 1], counts.counts[size - 1]
            else:
                codes, times = count_sorted(counts.codes[size] % counts.vocab_size**size)
            levels.append(_make_level(codes, times, counts.vocab_size))
        return cls(counts.vocab_size, levels)

    def bits(self, texts: Sequence[EncodedText]) -> np.ndarray:
        """float64 [len(texts)]: -log2 p of each text's charged ids, given the ids before them (the first is its document start).

        Unlike a model with a window, it sees what is before a charged id everywhere. Raises ValueError for an id outside the vocabulary.
        """
        ids = np.array([token for text in texts for token in text.ids], dtype=np.int64)
        if ids.size and not 0 <= ids.min() <= ids.max() < self.vocab_size:
            raise ValueError(f"KneserNey: ids {ids.min()} to {ids.max()}; allowed: 0 to {self.vocab_size - 1}; encode with its tokenizer")
        lengths = np.array([len(text.ids) for text in texts], dtype=np.int64)
        owners = np.repeat(np.arange(len(texts)), lengths)
        positions = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        charged = positions >= np.array([text.first for text in texts], dtype=np.int64)[owners]
        places, positions = np.flatnonzero(charged), positions[charged]
        probabilities = np.full(len(places), 1 / self.vocab_size)
        for n_before, level in enumerate(self._levels):
            has_context = positions >= n_before
            contexts = np.zeros(int(has_context.sum()), dtype=np.int64)
            for back in range(n_before, 0, -1):
                contexts = contexts * self.vocab_size + ids[places[has_context] - back]
            codes = contexts * self.vocab_size + ids[places[has_context]]
            probabilities[has_context] = level.refine(codes, contexts, probabilities[has_context])
        return np.bincount(owners[charged], weights=-np.log2(probabilities), minlength=len(texts))


def estimate_discounts(times: np.ndarray) -> tuple[float, float, float]:
    """(D1, D2, D3+) from the numbers n1 to n4 of n-grams that occur once to four times (Chen and Goodman 1998, equation 26).

    FALLBACK_DISCOUNTS if one of these numbers is 0, or a discount is not above 0 and at most its count.
    """
    n1, n2, n3, n4 = (int(n) for n in np.bincount(np.minimum(times, 5), minlength=6)[1:5])
    if not min(n1, n2, n3, n4):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    discounts = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
    return discounts if all(0 < discount <= most for most, discount in enumerate(discounts, 1)) else FALLBACK_DISCOUNTS


def _make_level(codes: np.ndarray, times: np.ndarray, vocab_size: int) -> _Level:
    discounts = np.array([0.0, *estimate_discounts(times)])[np.minimum(times, 3)]
    contexts = codes // vocab_size
    starts = np.flatnonzero(np.append(True, contexts[1:] != contexts[:-1])) if len(codes) else np.empty(0, dtype=np.int64)
    totals, discounted = (np.add.reduceat(values, starts) if len(codes) else np.empty(0) for values in (times, discounts))
    return _Level(codes, times - discounts, contexts[starts], totals, discounted)


def _find(values: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(a place in the sorted `values`, whether the wanted one is there)."""
    places = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return places, values[places] == wanted

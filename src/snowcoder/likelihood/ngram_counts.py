"""Counts the n-grams of token sequences, in parts that can be added up.

in: token ids [n_sequences, length]   out: NgramCounts: per order the distinct n-grams, as sorted codes, and how often each occurs

The code of an n-gram is the number that its ids are the digits of, in base vocab_size, the oldest id first. So the n-grams of one context
are neighbours in the sorted codes, code // vocab_size is the context, and code % vocab_size**k the last k ids.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NgramCounts:
    """codes[k - 1], counts[k - 1]: int64 [distinct k-grams], sorted codes and their counts, for k from 1 to the highest order."""

    vocab_size: int
    codes: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...]

    @property
    def order(self) -> int:
        """The highest order counted."""
        return len(self.codes)

    def __add__(self, other: "NgramCounts") -> "NgramCounts":
        """The counts of both parts' sequences together, exactly. Raises ValueError for another vocabulary or order."""
        if (self.vocab_size, self.order) != (other.vocab_size, other.order):
            raise ValueError(
                f"NgramCounts: vocab_size {self.vocab_size} and order {self.order} do not add to {other.vocab_size} and {other.order}"
            )
        pairs = zip(zip(self.codes, self.counts, strict=True), zip(other.codes, other.counts, strict=True), strict=True)
        return _counted(self.vocab_size, [_merge(*first, *second) for first, second in pairs])


def count_ngrams(sequences: np.ndarray, vocab_size: int, order: int) -> NgramCounts:
    """Count the n-grams of orders 1 to `order`; none crosses from one sequence into the next.

    sequences: ids [n_sequences, length], all below vocab_size. Raises ValueError for another id, or if codes would not fit into 63 bits.
    """
    if order < 1 or vocab_size**order >= 2**63:
        raise ValueError(f"count_ngrams: order {order} of {vocab_size} ids; allowed: at least 1, and vocab_size**order below 2**63")
    if sequences.size and not 0 <= int(sequences.min()) <= int(sequences.max()) < vocab_size:
        raise ValueError(f"count_ngrams: ids {sequences.min()} to {sequences.max()}; allowed: 0 to {vocab_size - 1}")
    return _counted(vocab_size, [count_sorted(_codes(sequences, vocab_size, size)) for size in range(1, order + 1)])


def count_sorted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distinct values, sorted; how often each occurs), as np.unique has them, in less memory: `values` is sorted in place."""
    values.sort()
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.empty(0, dtype=np.int64)
    return values[starts], np.diff(starts, append=len(values))


def _codes(sequences: np.ndarray, vocab_size: int, size: int) -> np.ndarray:
    """int64: the code of every n-gram of `size` ids, in no particular order."""
    n_places = max(0, sequences.shape[1] - size + 1)
    codes = np.zeros((len(sequences), n_places), dtype=np.int64)
    for offset in range(size):
        codes *= vocab_size
        codes += sequences[:, offset : offset + n_places]
    return codes.reshape(-1)


def _merge(codes: np.ndarray, counts: np.ndarray, new_codes: np.ndarray, new_counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The union of two sorted lists of codes, counts added; cheapest if the second is the shorter."""
    if len(codes) < len(new_codes):
        codes, counts, new_codes, new_counts = new_codes, new_counts, codes, counts
    places = np.searchsorted(codes, new_codes)
    known = np.append(codes, -1)[places] == new_codes
    summed = counts.copy()
    summed[places[known]] += new_counts[known]
    return np.insert(codes, places[~known], new_codes[~known]), np.insert(summed, places[~known], new_counts[~known])


def _counted(vocab_size: int, parts: list[tuple[np.ndarray, np.ndarray]]) -> NgramCounts:
    return NgramCounts(vocab_size, tuple(codes for codes, _ in parts), tuple(counts for _, counts in parts))

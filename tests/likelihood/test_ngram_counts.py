"""Counts at points counted by hand; parts add up to the whole, exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snowcoder.likelihood.ngram_counts import NgramCounts, count_ngrams

VOCABULARY = 5
SEQUENCES = st.tuples(st.integers(0, 5), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.uint16, shape, elements=st.integers(0, VOCABULARY - 1))
)


def listed(counts: NgramCounts, size: int) -> dict[tuple[int, ...], int]:
    """{n-gram: how often} of one order."""
    digits = [tuple(int(code) // VOCABULARY**power % VOCABULARY for power in range(size)[::-1]) for code in counts.codes[size - 1]]
    return dict(zip(digits, counts.counts[size - 1].tolist(), strict=True))


def test_ngrams_are_counted_within_their_sequence_alone() -> None:
    counts = count_ngrams(np.array([[1, 2, 1], [2, 1, 4]]), VOCABULARY, 3)
    assert listed(counts, 1) == {(1,): 3, (2,): 2, (4,): 1}
    assert listed(counts, 2) == {(1, 2): 1, (1, 4): 1, (2, 1): 2}
    assert listed(counts, 3) == {(1, 2, 1): 1, (2, 1, 4): 1}


@given(SEQUENCES, st.data())
def test_parts_add_up_to_the_whole(sequences: np.ndarray, data: st.DataObject) -> None:
    border = data.draw(st.integers(0, len(sequences)))
    whole = count_ngrams(sequences, VOCABULARY, 3)
    parts = count_ngrams(sequences[:border], VOCABULARY, 3) + count_ngrams(sequences[border:], VOCABULARY, 3)
    for ours, theirs in zip((*whole.codes, *whole.counts), (*parts.codes, *parts.counts), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_would_give_wrong_codes_is_refused() -> None:
    with pytest.raises(ValueError, match="ids 0 to 5; allowed: 0 to 4"):
        count_ngrams(np.array([[0, 5]]), VOCABULARY, 2)
    with pytest.raises(ValueError, match=r"order 4 of 65536 ids; allowed: at least 1, and vocab_size\*\*order below"):
        count_ngrams(np.array([[0, 5]]), 65536, 4)
    counts = count_ngrams(np.array([[0, 4]]), VOCABULARY, 2)
    with pytest.raises(ValueError, match="vocab_size 5 and order 2 do not add to 6 and 2"):
        counts + count_ngrams(np.array([[0, 4]]), 6, 2)

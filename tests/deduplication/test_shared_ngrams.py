"""Shared n-grams are counted exactly, for every text at once."""

from hypothesis import given
from hypothesis import strategies as st

from snowcoder.deduplication.shared_ngrams import index_ngrams
from snowcoder.deduplication.shingles import shingle


@given(st.lists(st.text("abc ", min_size=1, max_size=30), min_size=1, max_size=6), st.text("abc ", max_size=40))
def test_shared_n_grams_are_those_of_both_sets(contents: list[str], other: str):
    expected = [len(set(shingle(content, 2).tolist()) & set(shingle(other, 2).tolist())) for content in contents]
    assert index_ngrams(contents, 2).shared_with(shingle(other, 2)).tolist() == expected

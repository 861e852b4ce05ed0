import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.deduplication.kernels import CHUNK, MULTIPLIER
from snowcoder.deduplication.shingles import jaccard, ngram_hashes, shingle, text_buffer

CODE_TOKEN = re.compile(r"(?:\w|[^\x00-\x7f])+|[^\w\s]")
CODE = st.lists(st.sampled_from(["x", "y", "if", "(", ")", "=", "1", "\n", "  ", "Name", "name"]), max_size=60).map(" ".join)


def reference_shingles(content: str, n: int) -> set[tuple[str, ...]]:
    """The definition, with tuples in place of hashes."""
    tokens = tuple(CODE_TOKEN.findall(content))
    return {tokens} if len(tokens) < n else {tokens[start : start + n] for start in range(len(tokens) - n + 1)}


def test_hand_counted_shingles():
    assert shingle("a b c d e f", 5).size == 2
    assert shingle("a b c d e", 5).size == 1
    assert shingle("x.y = f(1)", 5).size == 4  # x . y = f ( 1 ) : 8 tokens


def test_identifiers_keep_their_case_and_punctuation_counts():
    assert jaccard(shingle("Foo(a, b)", 3), shingle("foo(a, b)", 3)) < 1.0
    assert jaccard(shingle("f(a)[b]", 3), shingle("f(a).b", 3)) < 1.0


def test_white_space_does_not_count():
    assert np.array_equal(shingle("if x :\n\treturn  1", 3), shingle("if x: return 1", 3))


@given(CODE, CODE, st.integers(1, 6))
def test_jaccard_of_hashes_is_the_jaccard_of_the_ngrams(left: str, right: str, n: int):
    one, two = reference_shingles(left, n), reference_shingles(right, n)
    assert jaccard(shingle(left, n), shingle(right, n)) == len(one & two) / len(one | two)


@given(st.text(max_size=40), st.text(max_size=40), st.integers(1, 3))
def test_jaccard_of_any_text_is_that_of_the_ngrams(left: str, right: str, n: int):
    one, two = reference_shingles(left, n), reference_shingles(right, n)
    assert jaccard(shingle(left, n), shingle(right, n)) == len(one & two) / len(one | two)


@pytest.mark.parametrize("n_tokens", [CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 4, CHUNK + 5, CHUNK + 6, 2 * CHUNK + 11])
@pytest.mark.parametrize("n", [1, 5])
def test_long_texts_lose_no_shingle_at_the_end_of_a_chunk(n_tokens: int, n: int):
    content = "\n".join(f"t{number}" for number in range(n_tokens)) + "   "
    assert shingle(content, n).size == n_tokens - n + 1


def test_nul_bytes_are_tokens_and_lone_surrogates_no_error():
    assert shingle("a\0b\0c", 5).size == 1
    assert shingle("a\0b\0c", 1).size == 4
    assert shingle("x = '\ud800'", 2).size == 4


def test_texts_lie_end_to_end_however_the_column_is_cut():
    texts = ["ä", "", "x = 1\n"]
    chunked = pa.chunked_array([texts[:1], texts[1:]])
    sliced = pa.chunked_array([pa.array(["gone", *texts]).slice(1)])
    for column in (chunked, sliced):
        data, starts = text_buffer(column)
        assert [data[start:stop].tobytes().decode() for start, stop in pairwise(starts)] == texts
    assert text_buffer(pa.chunked_array([], pa.string()))[1].tolist() == [0]


@given(st.text(max_size=12), st.integers(1, 6))
def test_no_file_is_without_shingles_and_each_is_like_itself(content: str, n: int):
    shingles = shingle(content, n)
    assert shingles.size >= 1
    assert jaccard(shingles, shingles) == 1.0


def test_short_files_of_different_tokens_share_nothing():
    contents = ["", "x", "y", "x = 1", "x = 2", "import os", "import re", "from . import a"]
    shingles = [shingle(content, 5) for content in contents]
    assert [jaccard(one, two) for i, one in enumerate(shingles) for two in shingles[:i]] == [0.0] * 28


def test_ngram_hashes_of_a_text_shorter_than_one_ngram_are_empty():
    assert ngram_hashes(np.array([1, 2], dtype=np.uint64), 3).size == 0


def test_an_ngram_has_the_same_hash_at_every_place():
    tokens = np.array([7, 8, 9], dtype=np.uint64)
    assert np.array_equal(ngram_hashes(tokens, 2)[1:], ngram_hashes(tokens[1:], 2))
    assert ngram_hashes(tokens, 2).tolist() == [(7 * int(MULTIPLIER) + 8) % 2**64, (8 * int(MULTIPLIER) + 9) % 2**64]

"""snowcoder.decontamination.normalise: the words that re's \\w+ finds, in lower case, optionally without comments."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.decontamination.normalise import read_words, word_forms

TEXTS = st.text(max_size=60) | st.text(alphabet='aB_1é# \n"\\n.,İß²', max_size=60)


def texts_of(text: str) -> list[str]:
    stream = read_words(text)
    return [text[start:end] for start, end in zip(stream.starts.tolist(), stream.ends.tolist(), strict=True)]


def test_words_are_without_white_space_and_punctuation_and_case_does_not_count() -> None:
    assert texts_of('def  F(x):\n\treturn "A_b" + 1.5  # Note') == ["def", "F", "x", "return", "A_b", "1", "5", "Note"]
    assert np.array_equal(read_words("DEF Été").hashes, read_words("def été").hashes)


def test_formatting_does_not_change_the_words() -> None:
    assert np.array_equal(read_words("f(a, 'b')").hashes, read_words('f(\n    a,\n    "b",\n)').hashes)


def test_an_escaped_line_end_is_white_space() -> None:
    assert texts_of('"x = 1\\nreturn x\\t\\ty"') == ["x", "1", "return", "x", "y"]


def test_an_escaped_character_is_white_space_where_it_has_four_digits() -> None:
    assert texts_of("[1] \\u279e True \\u00E9\\u00e9x") == ["1", "True", "x"]
    assert texts_of("\\users \\u12 \\u") == ["users", "u12", "u"]


def test_a_text_with_comments_has_two_forms() -> None:
    with_comment, without = word_forms("x = 1  # one # two\ny")
    assert (len(with_comment), len(without)) == (5, 3)
    assert without.span(2, 1) == (19, 20)
    assert len(word_forms("x = 1\n#\n")) == 1


@given(TEXTS)
def test_words_are_those_of_a_regular_expression(text: str) -> None:
    plain = re.sub(r"\\[nrtNRT]", "  ", text)
    expected = re.findall(r"\w+", plain)
    found = read_words(text)
    if "\\" not in text:
        assert texts_of(text) == expected
    assert len(found.hashes) == len(found.starts) == len(found.ends)


@given(st.lists(st.text(alphabet="abAB12_", min_size=1, max_size=8), max_size=30))
def test_equal_words_have_equal_hashes_and_different_ones_different(words: list[str]) -> None:
    hashes = read_words(" ".join(words)).hashes.tolist()
    assert len(set(hashes)) == len({word.lower() for word in words})
    assert [read_words(word).hashes.tolist()[0] for word in words] == hashes


@given(TEXTS)
def test_the_form_without_comments_is_that_of_the_text_without_them(text: str) -> None:
    bare = re.sub(r"#[^\n]*", lambda match: " " * len(match.group()), text)
    assert np.array_equal(word_forms(text)[-1].hashes, read_words(bare).hashes)

from hypothesis import given
from hypothesis import strategies as st

from snowcoder.decontamination.normalise import excerpt, forms, words


def test_words_are_lower_case_without_white_space_and_punctuation():
    assert words('def  F(x):\n\treturn "A_b" + 1.5  # Note') == ["def", "f", "x", "return", "a_b", "1", "5", "note"]


def test_formatting_does_not_change_the_words():
    assert words("f(a, 'b')") == words('f(\n    a,\n    "b",\n)')


def test_a_text_with_comments_has_two_forms():
    assert list(forms("x = 1  # one\ny")) == ["x = 1  # one\ny", "x = 1  \ny"]
    assert list(forms("x = 1")) == ["x = 1"]


def test_an_excerpt_is_the_text_as_written_and_bounded():
    assert excerpt("if  Foo( bar ): pass", 1, 2, 200) == "Foo( bar"
    assert excerpt("if  Foo( bar ): pass", 1, 2, 4) == "Foo("
    assert excerpt("", 0, 3, 200) == ""


@given(st.text(max_size=40))
def test_the_whole_text_is_its_own_excerpt(text: str):
    found = words(text)
    assert words(excerpt(text, 0, len(found), 10**6)) == found

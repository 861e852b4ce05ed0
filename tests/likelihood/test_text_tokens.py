import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from snowcoder.likelihood.text_tokens import EncodedText, encode_pairs, split_windows


@pytest.fixture(scope="module")
def merging() -> Tokenizer:
    """Bytes, and one merge: a newline with the blank after it is one token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<|endoftext|>": 0} | {letter: index + 1 for index, letter in enumerate(alphabet)} | {"ĊĠ": 300}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ċ", "Ġ")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def test_only_the_text_is_charged(merging: Tokenizer) -> None:
    [text] = encode_pairs(merging, [("ab", "cd")])
    assert text.ids[0] == 0
    assert merging.decode(text.ids[1 : text.first]) == "ab"
    assert merging.decode(text.charged) == "cd"
    assert text.n_bytes == 2


def test_a_token_across_the_border_is_charged_whole_and_the_bytes_are_the_texts(merging: Tokenizer) -> None:
    [text] = encode_pairs(merging, [("a\n", " b")])
    assert text.charged == [300, merging.token_to_id("b")]
    assert text.n_bytes == 2


def test_without_a_prompt_all_is_charged_after_the_document_start(merging: Tokenizer) -> None:
    [text] = encode_pairs(merging, [("", "é")])
    assert (text.first, len(text.charged), text.n_bytes) == (1, 2, 2)


def test_windows_at_hand_computed_points() -> None:
    # 3 of prompt, 4 charged
    text = EncodedText(list(range(7)), 3, 4)
    assert [(w.ids, w.first) for w in split_windows(text, 7)] == [([0, 1, 2, 3, 4, 5, 6], 3)]
    # 4 ids: half a window of prompt stays, then windows that share one id
    assert [(w.ids, w.first) for w in split_windows(text, 4)] == [([1, 2, 3, 4], 2), ([4, 5, 6], 1)]
    # a short text keeps more of its prompt than half a window
    assert [(w.ids, w.first) for w in split_windows(EncodedText(list(range(9)), 8, 1), 6)] == [([3, 4, 5, 6, 7, 8], 5)]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 40))
def test_every_charged_id_is_charged_once_in_order(n_before: int, n_charged: int, window_tokens: int) -> None:
    text = EncodedText(list(range(n_before + n_charged)), n_before, n_charged)
    windows = split_windows(text, window_tokens)
    assert [token for window in windows for token in window.ids[window.first :]] == text.charged
    assert all(1 <= window.first < len(window.ids) <= window_tokens for window in windows)
    # each window is a run of the text
    assert all(window.ids == list(range(window.ids[0], window.ids[0] + len(window.ids))) for window in windows)


def test_a_window_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="window_tokens = 1"):
        split_windows(EncodedText([0, 1], 1, 1), 1)

"""Text written after a prompt is decoded as it was written, by both kinds of tokenizers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from snowcoder.inference.local.prompt_encoder import PromptEncoder, decode_continuation
from tests.inference.tiny_llama import TEXTS, make_tokenizer

BODY = "    if x:\n        return  x\n    return None\n"


def sentencepiece_like() -> Tokenizer:
    """As Llama 2's: a blank is put before a text and taken off again; blanks are U+2581."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    alphabet = [*map(chr, range(32, 127)), "\n", "\u2581"]
    trainer = trainers.BpeTrainer(vocab_size=150, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([text.replace("\t", " ") for text in TEXTS], trainer)
    return tokenizer


TOKENIZERS = {"byte-level": make_tokenizer(), "sentencepiece": sentencepiece_like()}


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("text", [BODY, " x", "x", "", "\n", "  "])
def test_a_completion_keeps_the_blanks_that_it_begins_with(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]
    prompt = "def f(x):\n"
    whole = PromptEncoder(tokenizer, []).encode(prompt + text, 1000)
    first = len(PromptEncoder(tokenizer, []).encode(prompt, 1000))
    if tokenizer.decode(whole[:first]) == prompt:  # the border of prompt and completion is one of tokens
        assert decode_continuation(tokenizer, whole[first:]) == text


def test_the_case_that_matters_is_tried() -> None:
    tokenizer = TOKENIZERS["sentencepiece"]
    ids = [tokenizer.token_to_id("\u2581")] * 4 + tokenizer.encode("x", add_special_tokens=False).ids[1:]
    assert tokenizer.decode(ids).startswith("   ")
    assert not tokenizer.decode(ids).startswith("    ")  # what decoding alone makes of four blanks
    assert decode_continuation(tokenizer, ids).startswith("    ")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<"), max_size=20))
def test_byte_level_text_is_the_same_as_decoded_alone(text: str) -> None:
    tokenizer = TOKENIZERS["byte-level"]
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert decode_continuation(tokenizer, ids) == tokenizer.decode(ids) == text
    assert decode_continuation(tokenizer, ids[:-1]) == tokenizer.decode(ids[:-1])

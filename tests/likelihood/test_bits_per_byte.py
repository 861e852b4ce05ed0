import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.likelihood.bits_per_byte import score_texts
from snowcoder.likelihood.log_probabilities import batch_by_length, window_bits
from snowcoder.likelihood.text_tokens import Window, encode_pairs, split_windows
from tests.inference.tiny_llama import WINDOW, make_model

PAIRS = [
    ("def add(a, b):\n", "    return a + b\n"),
    ("", "x = 1\n"),
    ("class Stack:\n    def push(self, item):\n", "        self.items.append(item)\n" * 12),
    ("# héllo wörld\n" * 10, "s = 'ü'\n"),
    ("", "def f():\n    pass\n\n\n" * 15),
]


def _naive_bits(model: LlamaForCausalLM, window: Window) -> float:
    """One window, all logits, float64."""
    with torch.inference_mode():
        logits = model(torch.tensor([window.ids])).logits[0].double()
    table = torch.log_softmax(logits, dim=-1)
    return -sum(float(table[place - 1, window.ids[place]]) for place in range(window.first, len(window.ids))) / math.log(2)


def test_uniform_logits_cost_log2_of_the_vocabulary_per_token(tokenizer: Tokenizer) -> None:
    model = make_model(tokenizer.get_vocab_size())
    torch.nn.init.zeros_(model.lm_head.weight)
    scores = score_texts(model, tokenizer, PAIRS, 256)
    n_tokens = [len(text.charged) for text in encode_pairs(tokenizer, PAIRS)]
    np.testing.assert_allclose(scores.bits, np.array(n_tokens) * math.log2(tokenizer.get_vocab_size()), rtol=1e-6)
    assert scores.n_bytes.tolist() == [len(text.encode()) for _, text in PAIRS]
    assert scores.bits_per_byte == pytest.approx(scores.bits.sum() / scores.n_bytes.sum())


def test_bits_equal_those_of_single_windows_with_all_logits(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    scores = score_texts(model, tokenizer, PAIRS, 256)
    expected = [sum(_naive_bits(model, window) for window in split_windows(text, WINDOW)) for text in encode_pairs(tokenizer, PAIRS)]
    np.testing.assert_allclose(scores.bits, expected, rtol=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 100, 10_000])
def test_batches_change_nothing_but_rounding(model: LlamaForCausalLM, tokenizer: Tokenizer, batch_tokens: int) -> None:
    reference = score_texts(model, tokenizer, PAIRS, 256)
    np.testing.assert_allclose(score_texts(model, tokenizer, PAIRS, batch_tokens).bits, reference.bits, rtol=1e-5)


def test_a_text_never_sees_its_neighbours(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    """Packed training sequences hold several documents; a measured text is alone, whatever shares its batch."""
    text = ("def add(a, b):\n", "    return a + b\n")
    neighbours = ["return b + a\n", "    return a + b\n", "x = 'ü'\n" * 9, ""]
    alone = score_texts(model, tokenizer, [text], 10_000).bits[0]
    for neighbour in neighbours:
        before, after = ("def add(a, b):\n", neighbour), (neighbour, "    return a + b\n")
        together = score_texts(model, tokenizer, [before, text, after], 10_000).bits[1]
        assert together == pytest.approx(alone, rel=1e-5)


def test_workers_change_nothing(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    alone, together = (score_texts(model, tokenizer, PAIRS, 100, workers=workers).bits.tobytes() for workers in (1, 3))
    assert alone == together


def test_the_same_call_gives_the_same_bits(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    first, second = (score_texts(model, tokenizer, PAIRS, 256).bits.tobytes() for _ in range(2))
    assert first == second


def test_logits_in_parts_are_the_same_logits(model: LlamaForCausalLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = score_texts(model, tokenizer, PAIRS, 256).bits
    monkeypatch.setattr("snowcoder.likelihood.log_probabilities.MAX_LOGITS", 1)
    np.testing.assert_allclose(score_texts(model, tokenizer, PAIRS, 256).bits, whole, rtol=1e-6)


def test_a_prompt_that_says_it_all_costs_nothing(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    """A model made to repeat one token is certain of it, and far off for any other."""
    letter = tokenizer.encode("a").ids[0]
    certain = LlamaForCausalLM(model.config).eval()
    torch.nn.init.zeros_(certain.lm_head.weight)
    bias = torch.zeros(model.config.vocab_size)
    bias[letter] = 40.0
    certain.lm_head.register_forward_hook(lambda module, inputs, output: output + bias)
    sure, wrong = score_texts(certain, tokenizer, [("x", "aaaa"), ("x", "z")], 256).bits
    assert sure == pytest.approx(0.0, abs=1e-6)
    assert wrong == pytest.approx(40 / math.log(2), rel=1e-6)


def test_no_windows_have_no_bits(model: LlamaForCausalLM) -> None:
    assert window_bits(model, [], 100).tolist() == []


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 120))
def test_batches_hold_every_index_once_within_the_limit(lengths: list[int], batch_tokens: int) -> None:
    batches = list(batch_by_length(lengths, batch_tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= batch_tokens

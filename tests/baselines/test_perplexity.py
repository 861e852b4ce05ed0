"""Beginnings of files and their bits per byte; the bands that these give."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.baselines.baseline_params import PerplexityParams
from snowcoder.baselines.perplexity import beginning_bits_per_byte, beginnings, perplexity_bands
from snowcoder.likelihood.bits_per_byte import score_texts
from snowcoder.tokenization.tokenizer import encode_batch
from tests.inference.tiny_llama import make_tokenizer, save_folder

PARAMS = PerplexityParams(beginning_tokens=5, precision="float32", cpu_threads=1, batch_tokens=256)
TOKENIZER = make_tokenizer()


@given(st.text(alphabet="ab (:\n€ü", max_size=40), st.integers(1, 12))
def test_a_beginning_is_the_longest_one_within_the_tokens(text: str, n_tokens: int) -> None:
    (beginning,) = beginnings(TOKENIZER, [text], n_tokens)
    (ids,) = encode_batch(TOKENIZER, [text])
    assert text.startswith(beginning)
    decoded = TOKENIZER.decode(ids[:n_tokens], skip_special_tokens=False)
    assert decoded.rstrip("\ufffd") == beginning


def test_bits_per_byte_are_those_of_the_beginning_alone(tmp_path: Path, model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    save_folder(model, tokenizer, tmp_path)
    texts = ["def add(a, b):\n    return a + b\n", "x = 1\n", ""]
    scores = beginning_bits_per_byte(texts, tmp_path, PARAMS)
    cut = beginnings(tokenizer, texts, 5)
    assert 0 < len(cut[0]) < len(texts[0])
    expected = score_texts(model, tokenizer, [("", text) for text in cut[:2]], 256)
    assert scores[:2].tolist() == pytest.approx((expected.bits / expected.n_bytes).tolist(), rel=1e-5)
    assert scores[2] == 0.0
    longer = beginning_bits_per_byte([f"{text}# more" for text in texts[:1]], tmp_path, PARAMS)
    assert longer[0] == pytest.approx(scores[0], rel=1e-5)


def test_bands_are_within_a_language() -> None:
    bands = perplexity_bands(np.array([3.0, 1.0, 9.0, 2.0, 8.0]), ["c", "c", "css", "c", "css"])
    assert bands["perplexity_low"].tolist() == [-3.0, -1.0, -9.0, -2.0, -8.0]
    assert bands["perplexity_high"].tolist() == [3.0, 1.0, 9.0, 2.0, 8.0]
    # ranks 3, 1, 2 of three: the middles of thirds; 2, 1 of two: of halves
    assert bands["perplexity_middle"].tolist() == pytest.approx([-1 / 3, -1 / 3, -1 / 4, 0.0, -1 / 4])

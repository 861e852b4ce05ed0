import math

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.evaluation.bits_per_byte_sets import MeasureBitsPerByteParams, measure_sets, measure_unigram
from snowcoder.params import validate
from tests.inference.tiny_llama import make_model

SETS = {
    "humaneval": [("def f(x):\n", "    return x\n"), ("def g(x):\n", "    return 2 * x\n")],
    "held_out": [("", "x = 1\ny = 2\n"), ("", "print(1)\n")],
}
PARAMS = validate(
    {
        "seed": 1,
        "precision": "float32",
        "cpu_threads": 1,
        "batch_tokens": 512,
        "resamples": 200,
        "validation": {"max_functions": 1, "max_functions_per_repository": 1, "max_functions_per_file": 1},
        "held_out": {"max_bytes": 10, "max_bytes_per_file": 10},
    },
    MeasureBitsPerByteParams,
    "measure_bits_per_byte",
)


def test_a_uniform_model_costs_the_vocabularys_bits(tokenizer: Tokenizer) -> None:
    model = make_model(tokenizer.get_vocab_size())
    torch.nn.init.zeros_(model.lm_head.weight)
    measured = measure_sets(model, tokenizer, SETS, PARAMS, 96)["held_out"]
    n_tokens = sum(len(tokenizer.encode(text).ids) for _, text in SETS["held_out"])
    n_bytes = sum(len(text) for _, text in SETS["held_out"])
    assert measured["bits_per_byte"] == pytest.approx(n_tokens * math.log2(tokenizer.get_vocab_size()) / n_bytes, rel=1e-6)
    assert (measured["n_bytes"], measured["n_items"]) == (n_bytes, 2)


def test_intervals_hold_the_value_and_each_set_has_its_own(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    measured = measure_sets(model, tokenizer, SETS, PARAMS, 96)
    for values in measured.values():
        low, high = values["ci95"]
        assert low <= values["bits_per_byte"] <= high
    alone = measure_sets(model, tokenizer, {"held_out": SETS["held_out"]}, PARAMS, 96)
    assert alone["held_out"] == measured["held_out"]


def test_unigram_is_cheaper_on_the_text_it_was_counted_on(tokenizer: Tokenizer) -> None:
    own = measure_unigram(tokenizer, SETS, [[text for _, text in SETS["held_out"]] * 50])
    foreign = measure_unigram(tokenizer, SETS, [["zzzz" * 50]])
    assert own["held_out"] < foreign["held_out"]

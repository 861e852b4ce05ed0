import math

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.bits_per_byte_sets import item_rows, score_sets, summarise_sets
from snowcoder.pipeline.params import validate
from tests.inference.tiny_llama import as_loaded, make_model

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
    measured = summarise_sets(score_sets(as_loaded(model, tokenizer), SETS, 512, 96), PARAMS)["held_out"]
    n_tokens = sum(len(tokenizer.encode(text).ids) for _, text in SETS["held_out"])
    n_bytes = sum(len(text) for _, text in SETS["held_out"])
    assert measured["bits_per_byte"] == pytest.approx(n_tokens * math.log2(tokenizer.get_vocab_size()) / n_bytes, rel=1e-6)
    assert (measured["n_bytes"], measured["n_items"]) == (n_bytes, 2)


def test_intervals_hold_the_value_and_each_set_has_its_own(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    measured = summarise_sets(score_sets(as_loaded(model, tokenizer), SETS, 512, 96), PARAMS)
    for values in measured.values():
        low, high = values["ci95"]
        assert low <= values["bits_per_byte"] <= high
    alone = summarise_sets(score_sets(as_loaded(model, tokenizer), {"held_out": SETS["held_out"]}, 512, 96), PARAMS)
    assert alone["held_out"] == measured["held_out"]


def test_items_add_up_to_their_set(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    scores = score_sets(as_loaded(model, tokenizer), SETS, 512, 96)
    rows = item_rows(scores).to_pylist()
    assert [(row["set"], row["item"]) for row in rows] == [("humaneval", 0), ("humaneval", 1), ("held_out", 0), ("held_out", 1)]
    own = [row for row in rows if row["set"] == "held_out"]
    measured = sum(row["bits"] for row in own) / sum(row["n_bytes"] for row in own)
    assert measured == pytest.approx(summarise_sets(scores, PARAMS)["held_out"]["bits_per_byte"])

import math

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.bits_per_byte_sets import (
    ITEM_SCHEMA,
    describe_scores,
    item_rows,
    score_sets,
    summarise_sets,
)
from snowcoder.evaluation.measuring.text_sets import ScoredText
from snowcoder.likelihood.bits_per_byte import TextScores
from snowcoder.pipeline.params import validate
from tests.inference.tiny_llama import as_loaded, make_model

SETS = {
    "humaneval": [ScoredText("def f(x):\n", "    return x\n", "1"), ScoredText("def g(x):\n", "    return (\n", "2")],
    "held_out": [ScoredText("", "x = 1\ny = 2\n", "a"), ScoredText("", "print(1)\n", "b"), ScoredText("", "z = 'é'\n", "a")],
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
    measured = summarise_sets(SETS, score_sets(as_loaded(model, tokenizer), SETS, 512, 96), PARAMS)["held_out"]
    n_tokens = sum(len(tokenizer.encode(text).ids) for _, text, _ in SETS["held_out"])
    n_bytes = sum(len(text.encode()) for _, text, _ in SETS["held_out"])
    assert measured["bits_per_byte"] == pytest.approx(n_tokens * math.log2(tokenizer.get_vocab_size()) / n_bytes, rel=1e-6)
    assert (measured["n_bytes"], measured["n_items"], measured["n_clusters"]) == (n_bytes, 3, 2)


def test_intervals_hold_the_value_and_each_set_has_its_own(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    measured = summarise_sets(SETS, score_sets(as_loaded(model, tokenizer), SETS, 512, 96), PARAMS)
    for values in measured.values():
        low, high = values["ci95"]
        assert low <= values["bits_per_byte"] <= high
    one = {"held_out": SETS["held_out"]}
    alone = summarise_sets(one, score_sets(as_loaded(model, tokenizer), one, 512, 96), PARAMS)
    assert alone["held_out"] == measured["held_out"]


def test_items_add_up_to_their_set_and_name_their_clusters(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    scores = score_sets(as_loaded(model, tokenizer), SETS, 512, 96)
    table = item_rows(SETS, scores)
    assert table.schema == ITEM_SCHEMA
    rows = table.to_pylist()
    assert [(row["set"], row["item"], row["cluster"]) for row in rows] == [
        ("humaneval", 0, "1"),
        ("humaneval", 1, "2"),
        ("held_out", 0, "a"),
        ("held_out", 1, "b"),
        ("held_out", 2, "a"),
    ]
    own = [row for row in rows if row["set"] == "held_out"]
    measured = sum(row["bits"] for row in own) / sum(row["n_bytes"] for row in own)
    assert measured == pytest.approx(summarise_sets(SETS, scores, PARAMS)["held_out"]["bits_per_byte"])


def test_what_kept_its_authors_layout_is_counted_where_one_is_asked_for(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    measured = summarise_sets(SETS, score_sets(as_loaded(model, tokenizer), SETS, 512, 96), PARAMS)
    assert measured["humaneval"]["n_as_written"] == 1
    assert "n_as_written" not in measured["held_out"]


def test_texts_of_one_repository_widen_the_interval_and_a_single_one_has_none() -> None:
    # the repositories differ, the texts of one do not
    bits, n_bytes = np.repeat([100.0, 200.0, 300.0, 400.0], 10), np.full(40, 100)
    together = [ScoredText("", "x", str(item // 10)) for item in range(40)]
    apart = [ScoredText("", "x", str(item)) for item in range(40)]
    wide, narrow = (describe_scores(texts, TextScores(bits, n_bytes), 1)["ci95"] for texts in (together, apart))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])
    alone = describe_scores([ScoredText("", "x", "a")] * 40, TextScores(bits, n_bytes), 1)
    assert (alone["n_items"], alone["n_clusters"], alone["ci95"]) == (40, 1, None)

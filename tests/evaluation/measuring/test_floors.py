"""Floors: rows add up to the metrics, and more context helps where the text is that of the training tokens."""

import numpy as np
import pytest
from tokenizers import Tokenizer

from snowcoder.evaluation.measuring.floors import FLOOR_SCHEMA, ORDERS, floor_rows, score_floors, summarise_floors
from snowcoder.evaluation.measuring.text_sets import ScoredText
from snowcoder.likelihood.ngram_counts import count_ngrams
from tests.inference.tiny_llama import TEXTS


def test_rows_add_up_and_seen_text_is_cheaper_the_more_context(tokenizer: Tokenizer) -> None:
    ids = [0, *tokenizer.encode("\n".join(TEXTS) * 4).ids]
    sequences = np.array(ids[: len(ids) // 8 * 8]).reshape(-1, 8)
    sets = {
        "seen": [ScoredText("", TEXTS[0], "a"), ScoredText(TEXTS[1][:20], TEXTS[1][20:], "b")],
        "unseen": [ScoredText("", "Zürich ist weit\n", "c")],
    }
    floors = score_floors(count_ngrams(sequences, tokenizer.get_vocab_size(), 3), tokenizer, sets)
    measured = summarise_floors(floors)
    assert list(measured) == list(ORDERS) == ["unigram", "bigram", "trigram"]
    assert measured["trigram"]["seen"] < measured["bigram"]["seen"] < measured["unigram"]["seen"] < measured["unigram"]["unseen"]
    table = floor_rows("general", sets, floors)
    assert table.schema == FLOOR_SCHEMA
    rows = table.to_pylist()
    assert {row["variant"] for row in rows} == {"general"}
    for floor, order in ORDERS.items():
        own = [row for row in rows if row["order"] == order and row["set"] == "seen"]
        assert [(row["item"], row["cluster"], row["n_bytes"]) for row in own] == [(0, "a", len(TEXTS[0])), (1, "b", len(TEXTS[1]) - 20)]
        assert sum(row["bits"] for row in own) / sum(row["n_bytes"] for row in own) == pytest.approx(measured[floor]["seen"])

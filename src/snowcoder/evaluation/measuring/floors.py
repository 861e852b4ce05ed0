"""Measures the floors of bits per byte: what n-grams of a model's own training tokens reach on the same texts.

in: counted n-grams, named sets of texts and their tokenizer
out: {"unigram" | "bigram" | "trigram": {set: bits per byte}}; rows of FLOOR_SCHEMA:
  variant string
  order   int8     1 unigram, 2 bigram, 3 trigram
  and the columns of ITEM_SCHEMA

A model that does not need fewer bits than the trigram of its tokens has not been shown to have learned more than the last two tokens say.
"""

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from snowcoder.evaluation.measuring.bits_per_byte_sets import ITEM_SCHEMA, Sets, item_rows
from snowcoder.likelihood.bits_per_byte import TextScores
from snowcoder.likelihood.kneser_ney import KneserNey
from snowcoder.likelihood.ngram_counts import NgramCounts
from snowcoder.likelihood.text_tokens import encode_pairs

ORDERS = {"unigram": 1, "bigram": 2, "trigram": 3}
FLOOR_SCHEMA = pa.schema([("variant", pa.string()), ("order", pa.int8()), *ITEM_SCHEMA])

FloorScores = dict[str, dict[str, TextScores]]  # name of ORDERS -> set -> its texts


def score_floors(counts: NgramCounts, tokenizer: Tokenizer, sets: Sets) -> FloorScores:
    """Bits of each text under the Kneser-Ney model of each order."""
    encoded = {name: encode_pairs(tokenizer, [text.pair for text in texts]) for name, texts in sets.items()}
    n_bytes = {name: np.array([text.n_bytes for text in texts], dtype=np.int64) for name, texts in encoded.items()}
    floors: FloorScores = {}
    for floor, order in ORDERS.items():
        model = KneserNey.from_counts(counts, order)
        floors[floor] = {name: TextScores(model.bits(texts), n_bytes[name]) for name, texts in encoded.items()}
    return floors


def summarise_floors(floors: FloorScores) -> dict[str, dict[str, float]]:
    """{name of the floor: {set: bits per byte}}."""
    return {floor: {name: scores.bits_per_byte for name, scores in sets.items()} for floor, sets in floors.items()}


def floor_rows(variant: str, sets: Sets, floors: FloorScores) -> pa.Table:
    """Every text under every floor of one variant, as FLOOR_SCHEMA."""
    tables = []
    for floor, scores in floors.items():
        items = item_rows(sets, scores)
        named = {"variant": [variant] * len(items), "order": [ORDERS[floor]] * len(items)}
        tables.append(pa.table([*named.values(), *items.columns], schema=FLOOR_SCHEMA))
    return pa.concat_tables(tables)

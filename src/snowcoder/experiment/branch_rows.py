"""The table of an experiment's results: what every text costs every branch, and the n-gram models of the tokens that it was trained on.

rows of BRANCH_SCHEMA, a shard per branch, the parent's first (arm alpha, draw 0, learning rate 0):
  arm            string
  draw           int32    from 1: arms of one draw chose from the same part of the pool, and train in the same order
  learning_rate  float64  the peak
  set            string
  item           int32    place of the text in its set
  cluster        string   what the text is resampled with: its repository, or its problem
  n_bytes        int64
  bits           float64  of the branch's model
  bigram_bits    float64  of the Kneser-Ney bigram of the parent's and the branch's own tokens
  trigram_bits   float64
rows of CHOICE_SCHEMA, in the subfolder selections/: the files of every arm in every draw
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from snowcoder.source_files.records import text_columns

BRANCH_SCHEMA = pa.schema(
    [
        *(("arm", pa.string()), ("draw", pa.int32()), ("learning_rate", pa.float64())),
        *(("set", pa.string()), ("item", pa.int32()), ("cluster", pa.string()), ("n_bytes", pa.int64())),
        *((name, pa.float64()) for name in ("bits", "bigram_bits", "trigram_bits")),
    ]
)
CHOICE_SCHEMA = pa.schema(
    [("arm", pa.string()), ("draw", pa.int32()), *text_columns("file_id", "language", "repository"), ("n_tokens", pa.int32())]
)


def set_bits_per_byte(rows: pa.Table, column: str = "bits") -> dict[str, float]:
    """{set: bits per byte} of the rows of one branch: sum of bits / sum of bytes."""
    sums = rows.group_by("set", use_threads=False).aggregate([(column, "sum"), ("n_bytes", "sum")])
    return {row["set"]: row[f"{column}_sum"] / row["n_bytes_sum"] for row in sums.to_pylist()}


def endpoint_bits_per_byte(rows: pa.Table, endpoint: Sequence[str]) -> float:
    """The endpoint of one branch: the mean over its sets of their bits per byte, so that a large set does not outweigh a small one."""
    values = set_bits_per_byte(rows)
    return float(np.mean([values[name] for name in endpoint]))

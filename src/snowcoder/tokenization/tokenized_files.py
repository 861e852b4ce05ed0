"""Tokenises every file once.

in: SourceFile rows with `split`  out: one row per file of TOKENIZED_FILE_SCHEMA:
  n_tokens  tokens with the closing end of text
  tokens    little-endian uint16 ids, the last one EOS_ID; no other is (end of text inside a file is encoded as plain text)
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from snowcoder.pipeline.execution import ShardResult
from snowcoder.source_files.records import text_columns
from snowcoder.tokenization.token_shards import TOKEN_DTYPE
from snowcoder.tokenization.tokenizer import load_tokenizer
from snowcoder.words import EOS_ID

DESCRIPTIVE_COLUMNS = ["file_id", "repository", "path", "language", "split", "n_bytes"]
TOKENIZED_FILE_SCHEMA = pa.schema(
    [*text_columns(*DESCRIPTIVE_COLUMNS[:-1]), ("n_bytes", pa.int64()), ("n_tokens", pa.int32()), ("tokens", pa.binary())]
)
# split -> language -> files, bytes, tokens
TokenCounts = dict[str, dict[str, dict[str, int]]]


def tokenize_shard(files: pa.Table, tokenizer_folder: Path) -> ShardResult:
    """Rows of TOKENIZED_FILE_SCHEMA as table "files"; summary: `{split: {language: {files, bytes, tokens}}}`."""
    tokens = tokenize_contents(load_tokenizer(tokenizer_folder), files["content"].to_pylist())
    n_tokens = [len(encoded) // TOKEN_DTYPE.itemsize for encoded in tokens]
    table = files.select(DESCRIPTIVE_COLUMNS)
    table = table.append_column("n_tokens", pa.array(n_tokens, pa.int32())).append_column("tokens", pa.array(tokens, pa.binary()))
    summary: TokenCounts = {}
    for row in table.select(["split", "language", "n_bytes", "n_tokens"]).to_pylist():
        _add(summary, row["split"], row["language"], {"files": 1, "bytes": row["n_bytes"], "tokens": row["n_tokens"]})
    return ShardResult({"files": table}, summary)


def tokenize_contents(tokenizer: Tokenizer, contents: Sequence[str]) -> list[bytes]:
    """The `tokens` column of each content. One thread: shards are what runs in parallel, and the ids are the same either way."""
    return [np.array([*tokenizer.encode(content, add_special_tokens=False).ids, EOS_ID], TOKEN_DTYPE).tobytes() for content in contents]


def total_tokens(summaries: Sequence[TokenCounts]) -> TokenCounts:
    """The summaries of all shards added up, with language "all" as the sum of a split."""
    totals: TokenCounts = {}
    for summary in summaries:
        for split, languages in summary.items():
            for language, counts in languages.items():
                _add(totals, split, language, counts)
                _add(totals, split, "all", counts)
    return totals


def _add(totals: TokenCounts, split: str, language: str, counts: dict[str, int]) -> None:
    cell = totals.setdefault(split, {}).setdefault(language, dict.fromkeys(counts, 0))
    for name, count in counts.items():
        cell[name] += count

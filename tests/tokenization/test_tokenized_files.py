"""Every file is tokenised once, ends with the end-of-text token, and is counted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from snowcoder.storage.shards import list_shards, read_shard
from snowcoder.tokenization.token_shards import TOKEN_DTYPE
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA, tokenize_contents, tokenize_shard, total_tokens
from snowcoder.tokenization.tokenizer import EOS_TOKEN, save_tokenizer
from snowcoder.words import EOS_ID
from tests.tokenization.decoding import decode_bytes


def test_tokens_end_with_the_only_end_of_text(tokenizer: Tokenizer) -> None:
    for content in ("", "x = 1\n", f"a{EOS_TOKEN}", "日本"):
        (encoded,) = tokenize_contents(tokenizer, [content])
        ids = np.frombuffer(encoded, TOKEN_DTYPE)
        assert ids[-1] == EOS_ID
        assert EOS_ID not in ids[:-1]
        assert decode_bytes(tokenizer, ids) == content.encode()


def test_shard_keeps_rows_and_counts_them(tokenizer: Tokenizer, tmp_path: Path, write_sources: Callable[..., Path]) -> None:
    save_tokenizer(tokenizer, tmp_path / "tokenizer", 128)
    rows = [("r", "python", "x", "train"), ("r", "python", "12", "train"), ("s", "pl/sql", "é", "held_out")]
    source = write_sources(tmp_path / "files", [rows])
    files = read_shard(list_shards(source)[0])
    result = tokenize_shard(files, tmp_path / "tokenizer")
    table = result.tables["files"].cast(TOKENIZED_FILE_SCHEMA)
    assert table["file_id"].to_pylist() == files["file_id"].to_pylist()
    assert table["n_tokens"].to_pylist()[:2] == [2, 3]
    assert result.summary["train"] == {"python": {"files": 2, "bytes": 3, "tokens": 5}}
    assert result.summary["held_out"]["pl/sql"]["bytes"] == 2


def test_totals_over_shards() -> None:
    one = {"train": {"python": {"files": 1, "bytes": 10, "tokens": 4}, "css": {"files": 2, "bytes": 5, "tokens": 3}}}
    two = {"train": {"python": {"files": 1, "bytes": 1, "tokens": 1}}}
    totals = total_tokens([one, two])
    assert totals["train"]["python"] == {"files": 2, "bytes": 11, "tokens": 5}
    assert totals["train"]["all"] == {"files": 4, "bytes": 16, "tokens": 8}

"""Every packed token can be traced to the exact bytes of its file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from snowcoder.storage.shards import iterate_rows
from snowcoder.tokenization.catalogue import read_catalogue
from snowcoder.tokenization.mixing import unmixed
from snowcoder.tokenization.packing import PackingParams, pack
from snowcoder.tokenization.provenance import cut_pieces
from snowcoder.tokenization.token_shards import TokenShards
from snowcoder.tokenization.tokenizer import encode_batch, token_byte_lengths
from tests.tokenization.decoding import decode_bytes

CONTENTS = st.lists(st.text(max_size=40), min_size=1, max_size=8)


def test_pieces_by_hand() -> None:
    # files of 3, 4 and 5 tokens; sequences of 5; the stream of 12 ends at 10
    pieces = cut_pieces(np.array([0, 3, 7]), np.array([3, 4, 5]), 5, 2)
    assert pieces.row.tolist() == [0, 1, 1, 2]
    assert pieces.sequence.tolist() == [0, 0, 1, 1]
    assert pieces.offset.tolist() == [0, 3, 0, 2]
    assert pieces.token_start.tolist() == [0, 0, 2, 0]
    assert pieces.token_end.tolist() == [3, 2, 4, 3]


def _pack(folder: Path, tokenizer: Tokenizer, contents: list[str], write_tokens: Callable[..., Path], sequence_length: int = 4) -> None:
    rows = [(f"f{number}", f"r{number % 2}", "python", ids) for number, ids in enumerate(encode_batch(tokenizer, contents))]
    tokens = write_tokens(folder / "tokens", [rows[::2], rows[1::2]])
    params = PackingParams(sequence_length=sequence_length, group_by="language_then_repository", sequences_per_shard=3, seed=0)
    pack(unmixed(read_catalogue(tokens, tokens)), token_byte_lengths(tokenizer), params, folder / "packed", "pack_tokens@general")


@settings(max_examples=15, deadline=None)
@given(contents=CONTENTS.filter(lambda contents: sum(map(len, contents)) >= 8 or len(contents) > 3))
def test_tokens_of_a_row_are_the_bytes_it_names(
    tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer, write_tokens: Callable[..., Path], contents: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    _pack(folder, tokenizer, contents, write_tokens, sequence_length=2)
    shards = TokenShards(folder / "packed")
    covered = np.zeros((shards.n_sequences, 2), dtype=int)
    for row in iterate_rows(folder / "packed" / "provenance"):
        end = row["offset"] + row["n_tokens"]
        ids = shards.sequences([row["sequence"]])[0, row["offset"] : end]
        content = contents[int(row["file_id"][1:])].encode()
        assert decode_bytes(tokenizer, ids.tolist()) == content[row["byte_start"] : row["byte_end"]]
        covered[row["sequence"], row["offset"] : end] += 1
    assert (covered == 1).all()

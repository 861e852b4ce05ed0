"""Token shards: written anywhere in any order, read back complete, refused when damaged."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.errors import ShardError
from snowcoder.tokenization.token_shards import ShardLayout, TokenShards


def _write(folder: Path, n_sequences: int = 5, sequence_length: int = 4, per_shard: int = 2) -> np.ndarray:
    layout = ShardLayout(folder, sequence_length, n_sequences, per_shard)
    tokens = (np.arange(layout.n_tokens) * 997 % 65536).astype(np.uint16)
    layout.allocate()
    layout.write_at(0, tokens)
    layout.publish({"tokens_by_language": {"c": layout.n_tokens}})
    return tokens.reshape(n_sequences, sequence_length)


def test_layout_on_disk(tmp_path: Path) -> None:
    _write(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    assert [(shard["name"], shard["sequences"]) for shard in index["shards"]] == [
        ("tokens-00000.bin", 2),
        ("tokens-00001.bin", 2),
        ("tokens-00002.bin", 1),
    ]
    assert (index["n_sequences"], index["n_tokens"], index["dtype"], index["tokens_by_language"]) == (5, 20, "uint16", {"c": 20})
    assert (tmp_path / "tokens-00000.bin").read_bytes()[:4] == (0).to_bytes(2, "little") + (997).to_bytes(2, "little")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.json", "tokens-00000.bin", "tokens-00001.bin", "tokens-00002.bin"]


def test_sequences_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    expected = _write(tmp_path)
    shards = TokenShards(tmp_path)
    assert (shards.n_sequences, shards.sequence_length, shards.n_tokens) == (5, 4, 20)
    assert shards.sequences([4, 0, 0, 3]).tolist() == expected[[4, 0, 0, 3]].tolist()
    assert shards.sequences(np.arange(5)).dtype == np.uint16
    assert shards.sequences([]).shape == (0, 4)


@pytest.mark.parametrize("indices", [[-1], [5]])
def test_sequences_outside(tmp_path: Path, indices: list[int]) -> None:
    _write(tmp_path)
    with pytest.raises(IndexError, match="sequences 0 to 4"):
        TokenShards(tmp_path).sequences(indices)


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=12), per_shard=st.integers(1, 3), shuffler=st.randoms())
def test_pieces_may_be_written_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], per_shard: int, shuffler: random.Random
) -> None:
    tokens = np.arange(1, sum(lengths) + 1, dtype=np.uint16)
    starts = np.cumsum([0, *lengths])
    layout = ShardLayout(tmp_path_factory.mktemp("shards"), 4, len(tokens) // 4, per_shard)
    layout.allocate()
    pieces = list(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))
    shuffler.shuffle(pieces)
    for start, end in pieces:
        layout.write_at(start, tokens[start:end])
    layout.publish({})
    found = TokenShards(layout.folder).sequences(range(layout.n_sequences))
    assert found.ravel().tolist() == tokens[: layout.n_tokens].tolist()


def test_truncated_shard(tmp_path: Path) -> None:
    _write(tmp_path)
    path = tmp_path / "tokens-00001.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ShardError, match=r"tokens-00001.bin: size: found 15, expected 16 bytes; run `dvc checkout"):
        TokenShards(tmp_path)


def test_missing_shard(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "tokens-00002.bin").unlink()
    with pytest.raises(ShardError, match=r"tokens-00002.bin: size: found no file"):
        TokenShards(tmp_path)


def test_corrupt_shard(tmp_path: Path) -> None:
    _write(tmp_path)
    path = tmp_path / "tokens-00000.bin"
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    with pytest.raises(ShardError, match=r"tokens-00000.bin: corrupt"):
        TokenShards(tmp_path)
    assert TokenShards(tmp_path, check_hashes=False).sequences([0])[0, 0] == 255


@pytest.mark.parametrize(
    ("text", "message"), [(None, "pack_tokens has not run"), ("{", "not valid JSON"), ('{"dtype": "int8"}', "found 'int8'")]
)
def test_unusable_index(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "index.json").write_text(text)
    with pytest.raises(ShardError, match=message):
        TokenShards(tmp_path)

"""Packing loses only a counted remainder, and gives the same bytes for any input order and number of workers."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.errors import EmptyResultError, ShardError
from snowcoder.pipeline.fingerprint import hash_path
from snowcoder.storage.shards import iterate_rows, list_shards, read_shard, write_table
from snowcoder.tokenization.catalogue import read_catalogue
from snowcoder.tokenization.mixing import mix, unmixed
from snowcoder.tokenization.ordering import packing_order
from snowcoder.tokenization.packing import PackingParams, pack
from snowcoder.tokenization.token_shards import TokenShards
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA

BYTE_LENGTHS = np.array([0, *[1] * 99])
PARAMS = PackingParams(sequence_length=5, group_by="language_then_repository", sequences_per_shard=2, seed=0)
ROW = tuple[str, str, str, list[int]]
FILES = st.lists(
    st.tuples(
        st.integers(0, 99).map(str),
        st.sampled_from("rs"),
        st.sampled_from(["c", "css", "python"]),
        st.lists(st.integers(1, 99), max_size=12),
    ),
    unique_by=lambda row: row[0],
    min_size=5,
    max_size=20,
)
MANY = [(f"f{n}", f"r{n % 5}", ("c", "css", "python")[n % 3], [1 + n % 90] * (n % 17)) for n in range(60)]


def _pack(folder: Path, shards: list[list[ROW]], write_tokens: Callable[..., Path], params: PackingParams = PARAMS) -> dict:
    tokens = write_tokens(folder / "tokens", shards)
    return pack(unmixed(read_catalogue(tokens, tokens)), BYTE_LENGTHS, params, folder / "packed", "pack_tokens@general")


def _stream(folder: Path) -> list[int]:
    shards = TokenShards(folder / "packed")
    return shards.sequences(range(shards.n_sequences)).ravel().tolist()


@settings(max_examples=15, deadline=None)
@given(rows=FILES)
def test_packed_tokens_are_the_concatenation(
    tmp_path_factory: pytest.TempPathFactory, write_tokens: Callable[..., Path], rows: list[ROW]
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    metrics = _pack(folder, [rows[::2], rows[1::2]], write_tokens)
    catalogue = read_catalogue(folder / "tokens", folder / "tokens")
    order = packing_order(catalogue, np.zeros(len(rows), dtype=np.int64), PARAMS.group_by, PARAMS.seed)
    ids = {row[0]: [*row[3], 0] for row in rows}
    whole = [token for position in order for token in ids[catalogue["file_id"][int(position)].as_py()]]
    assert _stream(folder) == whole[: metrics["n_tokens"]]
    assert metrics["n_tokens"] + metrics["dropped_tail_tokens"] == len(whole)
    assert 0 <= metrics["dropped_tail_tokens"] < 5
    assert metrics["n_tokens"] == 5 * metrics["n_sequences"] == sum(metrics["tokens_by_language"].values())
    assert metrics["files"] == len(rows)


@settings(max_examples=15, deadline=None)
@given(rows=FILES, shuffler=st.randoms(), per_shard=st.integers(1, 7))
def test_order_and_sharding_of_the_input_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, write_tokens: Callable[..., Path], rows: list[ROW], shuffler: random.Random, per_shard: int
) -> None:
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    _pack(one, [rows], write_tokens)
    shuffler.shuffle(rows)
    _pack(two, [rows[start : start + per_shard] for start in range(0, len(rows), per_shard)], write_tokens)
    assert hash_path(one / "packed") == hash_path(two / "packed")


@settings(max_examples=15, deadline=None)
@given(rows=FILES)
def test_languages_meet_only_at_borders(
    tmp_path_factory: pytest.TempPathFactory, write_tokens: Callable[..., Path], rows: list[ROW]
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    _pack(folder, [rows], write_tokens)
    provenance = sorted(iterate_rows(folder / "packed" / "provenance"), key=lambda row: (row["sequence"], row["offset"]))
    assert [row["language"] for row in provenance] == sorted(row["language"] for row in provenance)


def test_same_bytes_with_two_worker_processes(tmp_path: Path, write_tokens: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _pack(tmp_path / "serial", [MANY[:20], MANY[20:]], write_tokens)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    _pack(tmp_path / "processes", [MANY[:20], MANY[20:]], write_tokens)
    assert hash_path(tmp_path / "serial" / "packed") == hash_path(tmp_path / "processes" / "packed")


def test_metrics_by_hand(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    # c: 4 + 1 tokens, python: 7 + 1; 13 tokens are two sequences of 5 and a tail of 3
    metrics = _pack(tmp_path, [[("a", "r", "python", [1] * 7), ("b", "r", "c", [2] * 4)]], write_tokens)
    assert metrics == {
        "files": 2,
        "n_sequences": 2,
        "n_tokens": 10,
        "dropped_tail_tokens": 3,
        "joined_files": 0,
        "tokens_by_language": {"c": 5, "python": 5},
        "python_fraction": 0.5,
        "documents_fraction": 0.0,
        "passes": {"documents": 0.0, "files": 1.0},
    }
    assert TokenShards(tmp_path / "packed").index["passes"] == metrics["passes"]
    assert _stream(tmp_path) == [2, 2, 2, 2, 0, 1, 1, 1, 1, 1]


def test_a_repository_is_one_document(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    rows = [("a", "r", "python", [1] * 4), ("b", "r", "c", [2] * 4), ("c", "r", "python", [1] * 3), ("d", "s", "python", [3] * 3)]
    metrics = _pack(tmp_path, [rows[:2], rows[2:]], write_tokens, PARAMS.model_copy(update={"document": "repository"}))
    # c ends in a document of its own; the two Python files of r are one, in either order, and s is another
    of_c, of_r, of_s = [2] * 4 + [0], [1] * 7 + [0], [3] * 3 + [0]
    whole = [of_c + of_r + of_s, of_c + of_s + of_r]
    assert _stream(tmp_path) in [stream[:15] for stream in whole]
    assert (metrics["n_tokens"], metrics["dropped_tail_tokens"], metrics["joined_files"], metrics["files"]) == (15, 2, 1, 4)


@settings(max_examples=15, deadline=None)
@given(rows=FILES, group_by=st.sampled_from(["language_then_repository", "repository"]))
def test_documents_of_repositories_hold_the_same_files_and_one_end_each(
    tmp_path_factory: pytest.TempPathFactory, write_tokens: Callable[..., Path], rows: list[ROW], group_by: str
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    rows = [*rows, ("long", "r", "c", [1, 2, 3, 4, 5])]  # one sequence at least, whatever is joined
    metrics = _pack(
        folder, [rows[::2], rows[1::2]], write_tokens, PARAMS.model_copy(update={"document": "repository", "group_by": group_by})
    )
    catalogue = read_catalogue(folder / "tokens", folder / "tokens")
    order = packing_order(catalogue, np.zeros(len(rows), dtype=np.int64), group_by, PARAMS.seed)
    named = [catalogue.slice(int(position), 1).to_pylist()[0] for position in order]
    by_language = group_by == "language_then_repository"
    groups = [(row["repository"], row["language"] if by_language else "") for row in named]
    ids, whole = {row[0]: row[3] for row in rows}, []
    for number, row in enumerate(named):
        whole += ids[row["file_id"]]
        whole += [0] if number + 1 == len(named) or groups[number] != groups[number + 1] else []
    assert whole.count(0) == len(set(groups)) == len(rows) - metrics["joined_files"]
    assert _stream(folder) == whole[: metrics["n_tokens"]]
    assert metrics["n_tokens"] + metrics["dropped_tail_tokens"] == len(whole)
    # provenance: every token but an end of text is one byte of its file, in order
    for row in iterate_rows(folder / "packed" / "provenance"):
        tokens = TokenShards(folder / "packed").sequences([row["sequence"]])[0, row["offset"] : row["offset"] + row["n_tokens"]]
        assert [token for token in tokens.tolist() if token] == ids[row["file_id"]][row["byte_start"] : row["byte_end"]]


def test_synthetic_documents_always_end(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [[("a", "r", "css", [2] * 9), ("b", "r", "css", [2] * 9)]])
    documents = write_tokens(tmp_path / "documents", [[("d", "r", "python", [3] * 9), ("e", "r", "python", [3] * 9)]])
    mixture = mix(read_catalogue(documents, documents), read_catalogue(tokens, tokens), {}, 0.5, seed=0)
    params = PARAMS.model_copy(update={"document": "repository"})
    metrics = pack(mixture, BYTE_LENGTHS, params, tmp_path / "packed", "pack_tokens@enhanced")
    assert _stream(tmp_path) == ([2] * 18 + [0] + ([3] * 9 + [0]) * 2)[:35]
    assert metrics["joined_files"] == 1


def test_documents_come_from_their_own_folder(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [[("a", "r", "python", [1] * 9), ("b", "r", "css", [2] * 19)]])
    documents = write_tokens(tmp_path / "documents", [[("d", "r", "python", [3] * 9)]])
    mixture = mix(read_catalogue(documents, documents), read_catalogue(tokens, tokens), {}, 0.5, seed=0)
    metrics = pack(mixture, BYTE_LENGTHS, PARAMS, tmp_path / "packed", "pack_tokens@enhanced")
    assert _stream(tmp_path) == [2] * 19 + [0] + ([3] * 9 + [0]) * 2
    assert (metrics["passes"], metrics["python_fraction"], metrics["files"]) == ({"documents": 2.0, "files": 1.0}, 0.5, 2)
    assert metrics["language_mix"] == {
        "css": {"source": "files", "planned": 0.5, "reached": 0.5, "unique_tokens": 20, "passes": 1.0},
        "python": {"source": "documents", "planned": 0.5, "reached": 0.5, "unique_tokens": 10, "passes": 2.0},
    }
    assert "language_mix" not in TokenShards(tmp_path / "packed").index


def test_less_than_one_sequence(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    with pytest.raises(EmptyResultError, match="pack_tokens@general: 4 tokens do not fill one sequence"):
        _pack(tmp_path, [[("a", "r", "c", [1, 2, 3])]], write_tokens)
    assert not (tmp_path / "packed").exists()


def test_no_train_file(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [MANY], split="held_out")
    with pytest.raises(EmptyResultError, match="0 tokens"):
        pack(unmixed(read_catalogue(tokens, tokens)), BYTE_LENGTHS, PARAMS, tmp_path / "packed", "pack_tokens@general")


def test_column_that_does_not_fit_the_tokens(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [MANY])
    rows = read_shard(list_shards(tokens)[0]).to_pylist()
    rows[7]["tokens"] = rows[7]["tokens"][:-2]
    write_table(tokens, [read_shard(list_shards(tokens)[0]).from_pylist(rows, TOKENIZED_FILE_SCHEMA)], TOKENIZED_FILE_SCHEMA)
    with pytest.raises(ShardError, match=r"part-00000.parquet: n_tokens: found 8 for f7 of 7"):
        pack(unmixed(read_catalogue(tokens, tokens)), BYTE_LENGTHS, PARAMS, tmp_path / "packed", "pack_tokens@general")

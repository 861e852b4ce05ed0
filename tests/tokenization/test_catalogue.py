"""Only files of the train split are packed, and a selection names existing files."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.errors import ParameterError, ShardError
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.catalogue import CATALOGUE_SCHEMA, keep_languages, read_catalogue

ROWS = [("a", "r", "python", [1]), ("b", "r", "css", [1, 2]), ("c", "s", "python", [])]


def _select(folder: Path, file_ids: list[str]) -> Path:
    schema = pa.schema([("file_id", pa.string()), ("score", pa.float64())])
    write_table(folder, [pa.table({"file_id": file_ids, "score": [0.5] * len(file_ids)}, schema=schema)], schema)
    return folder


def test_all_files(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [ROWS[:2], ROWS[2:]])
    found = read_catalogue(tokens, tokens)
    assert found.schema == CATALOGUE_SCHEMA
    assert found["file_id"].to_pylist() == ["a", "b", "c"]
    assert found["n_tokens"].to_pylist() == [2, 3, 1]
    assert [Path(path).name for path in found["shard"].to_pylist()] == ["part-00000.parquet"] * 2 + ["part-00001.parquet"]
    assert found["row"].to_pylist() == [0, 1, 0]


def test_held_out_files_are_left_out(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [ROWS], split="held_out")
    assert len(read_catalogue(tokens, tokens)) == 0


def test_selection(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [ROWS[:2], ROWS[2:]])
    assert read_catalogue(tokens, _select(tmp_path / "selected", ["c", "a"]))["file_id"].to_pylist() == ["a", "c"]


def test_selection_of_an_unknown_file(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [ROWS])
    with pytest.raises(ShardError, match=r"1 of 2 files are not in .*tokens, e.g. zzz"):
        read_catalogue(tokens, _select(tmp_path / "selected", ["a", "zzz"]))


def test_selection_of_a_held_out_file(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    tokens = write_tokens(tmp_path / "tokens", [ROWS], split="held_out")
    with pytest.raises(ShardError, match="split: found held_out for b"):
        read_catalogue(tokens, _select(tmp_path / "selected", ["b"]))


@pytest.mark.parametrize("twice", ["tokens", "selected"])
def test_file_that_occurs_twice(tmp_path: Path, write_tokens: Callable[..., Path], twice: str) -> None:
    tokens = write_tokens(tmp_path / "tokens", [ROWS, ROWS[:1]] if twice == "tokens" else [ROWS])
    files = tokens if twice == "tokens" else _select(tmp_path / "selected", ["a", "a"])
    with pytest.raises(ShardError, match="occurs twice"):
        read_catalogue(tokens, files)


def test_only_some_languages(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    files = read_catalogue(write_tokens(tmp_path / "tokens", [ROWS]), tmp_path / "tokens")
    assert keep_languages(files, ["python"], "f")["file_id"].to_pylist() == ["a", "c"]
    assert keep_languages(files, ["python", "css"], "f").equals(files)
    assert keep_languages(files, None, "f") is files


def test_a_language_without_files_is_refused(tmp_path: Path, write_tokens: Callable[..., Path]) -> None:
    files = read_catalogue(write_tokens(tmp_path / "tokens", [ROWS]), tmp_path / "tokens")
    with pytest.raises(ParameterError, match=r"pack_tokens\.x\.languages: found pyhton; allowed, as there are files of them: css, python"):
        keep_languages(files, ["css", "pyhton"], "pack_tokens.x.languages")

"""The tokenizer only sees train files, up to a size, in an order that does not depend on position."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from snowcoder.errors import EmptyResultError
from snowcoder.storage.shards import read_table
from snowcoder.tokenization.tokenizer import encode_batch
from snowcoder.tokenization.training_text import choose_training_files, iterate_training_texts, measure_compression

ROWS = [("r", "python", f"value_{number} = {number}\n", "train" if number % 3 else "held_out") for number in range(12)]


def test_train_files_only(tmp_path: Path, write_sources: Callable[..., Path]) -> None:
    folder = write_sources(tmp_path, [ROWS[:5], ROWS[5:]])
    chosen = choose_training_files(folder, 10**6)
    train = [content for _, _, content, split in ROWS if split == "train"]
    assert list(iterate_training_texts(folder, chosen.file_ids)) == train
    assert chosen.n_bytes == sum(map(len, train))


def test_size_is_bounded_in_order_of_content_hash(tmp_path: Path, write_sources: Callable[..., Path]) -> None:
    folder = write_sources(tmp_path, [ROWS])
    chosen = choose_training_files(folder, 30)
    rows = [row for row in read_table(folder).to_pylist() if row["split"] == "train"]
    first = sorted(rows, key=lambda row: row["content_sha256"])[: len(chosen.file_ids)]
    assert chosen.file_ids.to_pylist() == [row["file_id"] for row in first]
    assert 0 < chosen.n_bytes <= 30


def test_at_least_one_file(tmp_path: Path, write_sources: Callable[..., Path]) -> None:
    assert len(choose_training_files(write_sources(tmp_path, [ROWS]), 1).file_ids) == 1


def test_no_train_file(tmp_path: Path, write_sources: Callable[..., Path]) -> None:
    folder = write_sources(tmp_path, [[("r", "python", "x", "held_out")]])
    with pytest.raises(EmptyResultError, match="no file in split 'train'"):
        choose_training_files(folder, 100)


def test_compression_is_measured_on_held_out_files(tmp_path: Path, tokenizer: Tokenizer, write_sources: Callable[..., Path]) -> None:
    rows = [("r", "python", "return left", "held_out"), ("r", "css", "§§", "held_out"), ("r", "python", "x" * 500, "train")]
    found = measure_compression(write_sources(tmp_path, [rows]), tokenizer, 10**6)
    python, css = (len(ids) for ids in encode_batch(tokenizer, ["return left", "§§"]))
    assert found == {"python": 11 / python, "css": 4 / css, "all": 15 / (python + css)}

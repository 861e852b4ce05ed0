"""Small real tables and a small real tokenizer for the tests of tokenization."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer

from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.token_shards import TOKEN_DTYPE
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA
from snowcoder.tokenization.tokenizer import TokenizerParams, train_tokenizer
from snowcoder.words import EOS_ID

TRAINING_TEXTS = [
    "def add(left, right):\n    return left + right\n" * 5,
    "for number in range(1024):\n    print(number, 'naïve 日本')\n" * 5,
    "const left = 12;\nfunction add(left, right) {\n  return left + right;\n}\n" * 5,
]

# (file_id, repository, language, ids without end of text)
TokenRow = tuple[str, str, str, Sequence[int]]


@pytest.fixture(autouse=True)
def _serial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


@pytest.fixture(scope="session")
def tokenizer_params() -> TokenizerParams:
    return TokenizerParams(vocab_size=320, min_frequency=2, max_train_bytes=10**6, model_max_length=128)


@pytest.fixture(scope="session")
def tokenizer(tokenizer_params: TokenizerParams) -> Tokenizer:
    return train_tokenizer(TRAINING_TEXTS, tokenizer_params)


@pytest.fixture(scope="session")
def write_tokens() -> Callable[..., Path]:
    """write_tokens(folder, rows of each shard, split): a table of TOKENIZED_FILE_SCHEMA."""

    def write(folder: Path, shards: Sequence[Sequence[TokenRow]], split: str = "train") -> Path:
        write_table(folder, (_tokens_table(rows, split) for rows in shards), TOKENIZED_FILE_SCHEMA)
        return folder

    return write


def _tokens_table(rows: Sequence[TokenRow], split: str) -> pa.Table:
    columns = {
        "file_id": [row[0] for row in rows],
        "repository": [row[1] for row in rows],
        "path": [f"{row[0]}.txt" for row in rows],
        "language": [row[2] for row in rows],
        "split": [split] * len(rows),
        "n_bytes": [len(row[3]) for row in rows],
        "n_tokens": [len(row[3]) + 1 for row in rows],
        "tokens": [np.array([*row[3], EOS_ID], TOKEN_DTYPE).tobytes() for row in rows],
    }
    return pa.table(columns, schema=TOKENIZED_FILE_SCHEMA)


@pytest.fixture(scope="session")
def write_sources() -> Callable[..., Path]:
    """write_sources(folder, shards of (repository, language, content, split)): a table as split_files writes it."""

    def write(folder: Path, shards: Sequence[Sequence[tuple[str, str, str, str]]]) -> Path:
        schema = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
        tables = [
            pa.Table.from_pylist([_source_row(number, index, row) for index, row in enumerate(rows)], schema)
            for number, rows in enumerate(shards)
        ]
        write_table(folder, tables, schema)
        return folder

    return write


def _source_row(shard: int, index: int, row: tuple[str, str, str, str]) -> dict[str, object]:
    repository, language, content, split = row
    file = make_source_file(
        source="test",
        repository=repository,
        path=f"{shard}/{index}",
        language=language,
        content=content,
        licence="MIT",
        download_rank=None,
        revision="1",
    )
    return file.row() | {"split": split}

"""Stores packed tokens: fixed-length sequences in shards of bounded size, memory-mapped for reading.

A folder of `tokens-00000.bin`, `tokens-00001.bin`, … (little-endian uint16, sequences one after the other, sequence i of the folder in
shard i // sequences_per_shard) and `index.json`:
  {"dtype": "uint16", "sequence_length", "sequences_per_shard", "n_sequences", "n_tokens", "shards": [{"name", "sequences", "sha256"}, …],
   and what the writer adds, e.g. "tokens_by_language"}
Writing: allocate, write tokens at any position, in any order, from any process, publish. So the corpus need not fit in memory.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.errors import ShardError
from snowcoder.storage.files import fsync, sha256_file, write_json

INDEX = "index.json"
TOKEN_DTYPE = np.dtype("<u2")


@dataclass(frozen=True)
class ShardLayout:
    """Where each token of a folder is. sequence_length: tokens; the last shard may hold fewer sequences than sequences_per_shard."""

    folder: Path
    sequence_length: int
    n_sequences: int
    sequences_per_shard: int

    @property
    def n_tokens(self) -> int:
        """Tokens of the whole folder."""
        return self.n_sequences * self.sequence_length

    @property
    def shard_tokens(self) -> int:
        """Tokens of a full shard."""
        return self.sequences_per_shard * self.sequence_length

    @property
    def shard_sequences(self) -> list[int]:
        """Sequences of each shard."""
        starts = range(0, self.n_sequences, self.sequences_per_shard)
        return [min(self.sequences_per_shard, self.n_sequences - start) for start in starts]

    def allocate(self) -> None:
        """Make files of the right size under temporary names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for index, n_sequences in enumerate(self.shard_sequences):
            with self._partial(index).open("wb") as file:
                file.truncate(n_sequences * self.sequence_length * TOKEN_DTYPE.itemsize)

    def write_at(self, position: int, tokens: np.ndarray) -> None:
        """Write tokens at a position of the stream, across shards where need be; what reaches beyond the last sequence is left out."""
        tokens = tokens[: max(0, self.n_tokens - position)]
        while len(tokens):
            index, offset = divmod(position, self.shard_tokens)
            part = tokens[: self.shard_tokens - offset]
            with self._partial(index).open("r+b") as file:
                file.seek(offset * TOKEN_DTYPE.itemsize)
                file.write(part.astype(TOKEN_DTYPE, copy=False).tobytes())
            position, tokens = position + len(part), tokens[len(part) :]

    def publish(self, details: dict[str, Any]) -> None:
        """Give the shards their names and write index.json, which marks a complete folder; `details` are added to it."""
        shards = []
        for index, n_sequences in enumerate(self.shard_sequences):
            fsync(self._partial(index))
            path = self.folder / token_shard_name(index)
            self._partial(index).replace(path)
            shards.append({"name": path.name, "sequences": n_sequences, "sha256": sha256_file(path)})
        known = {
            "dtype": "uint16",
            "sequence_length": self.sequence_length,
            "sequences_per_shard": self.sequences_per_shard,
            "n_sequences": self.n_sequences,
            "n_tokens": self.n_tokens,
            "shards": shards,
        }
        write_json(self.folder / INDEX, details | known)

    def _partial(self, index: int) -> Path:
        # no process id in it: several processes write into the same file, each at its own positions
        return self.folder / f".{token_shard_name(index)}.partial"


def token_shard_name(index: int) -> str:
    """File name of token shard number `index`."""
    return f"tokens-{index:05d}.bin"


class TokenShards:
    """A folder of packed tokens, memory-mapped read-only. n_sequences, n_tokens, sequence_length (tokens), index (the whole index.json)."""

    def __init__(self, folder: Path, check_hashes: bool = True) -> None:
        """Open and check sizes, and each shard's sha256 unless asked not to. Raises ShardError if anything is missing or damaged."""
        self.folder = folder
        self.index = _read_index(folder)
        self.sequence_length: int = self.index["sequence_length"]
        self.n_sequences: int = self.index["n_sequences"]
        self.n_tokens: int = self.index["n_tokens"]
        self._per_shard: int = self.index["sequences_per_shard"]
        self._maps = [self._open(shard, check_hashes) for shard in self.index["shards"]]

    def sequences(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """uint16 [len(indices), sequence_length], in the order asked for. Raises IndexError outside 0 … n_sequences - 1."""
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= self.n_sequences):
            raise IndexError(f"{self.folder}: sequences 0 to {self.n_sequences - 1}, asked for {wanted.min()} to {wanted.max()}")
        result = np.empty((len(wanted), self.sequence_length), dtype=np.uint16)
        for position, (shard, row) in enumerate(zip(wanted // self._per_shard, wanted % self._per_shard, strict=True)):
            result[position] = self._maps[shard][row]
        return result

    def _open(self, shard: dict[str, Any], check_hashes: bool) -> np.ndarray:
        path = self.folder / shard["name"]
        shape = (shard["sequences"], self.sequence_length)
        expected = shape[0] * shape[1] * TOKEN_DTYPE.itemsize
        found = path.stat().st_size if path.exists() else None
        advice = f"run `dvc checkout {self.folder}`, or `dvc repro -f` of pack_tokens"
        if found != expected:
            raise ShardError(f"{path}: size: found {'no file' if found is None else found}, expected {expected} bytes; {advice}")
        if check_hashes and sha256_file(path) != shard["sha256"]:
            raise ShardError(f"{path}: corrupt: its sha256 differs from the one in {self.folder / INDEX}; delete the file and {advice}")
        return np.memmap(path, dtype=TOKEN_DTYPE, mode="r", shape=shape)


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        index = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise ShardError(f"{path}: not found; pack_tokens has not run: `dvc repro`") from error
    except json.JSONDecodeError as error:
        raise ShardError(f"{path}: not valid JSON ({error}); run `dvc checkout {folder}`") from error
    if index.get("dtype") != "uint16":
        raise ShardError(f"{path}: dtype: found {index.get('dtype')!r}, expected 'uint16'; run `dvc repro -f` of pack_tokens")
    return index

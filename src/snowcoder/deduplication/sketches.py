"""Sketches a shard of files as three sorted runs, so that deduplication need not read the texts again.

<stem>-ranks     S32 rank key (survivors) -> uint32 row
<stem>-contents  S16 hash of the bytes -> uint32 row
<stem>-bands     uint64 band key -> uint32 row, `bands` entries per row
<stem>.names.arrow  NAME_SCHEMA, a row per file;  <stem>.rows.npy  how many files, written last: a sketch that has it is whole
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from snowcoder.deduplication.minhash import Scheme
from snowcoder.deduplication.shingles import shingle_bytes, text_buffer
from snowcoder.deduplication.sorted_runs import write_array, write_run
from snowcoder.deduplication.survivors import rank_keys
from snowcoder.errors import ShardError
from snowcoder.storage.files import written_whole
from snowcoder.storage.shards import read_shard

CONTENT_KEY_BYTES = 16
SKETCHED_COLUMNS = ("file_id", "repository", "path", "licence", "popularity", "revision", "content")
NAME_SCHEMA = pa.schema([("file_id", pa.string()), ("repository", pa.string()), ("path", pa.string())])


@dataclass(frozen=True, slots=True, eq=False)
class Sketched:
    """Sketches of all shards. A file's number is starts[shard] + row.

    starts: int64[shards + 1].
    """

    stems: Sequence[Path]
    starts: np.ndarray

    @property
    def n_files(self) -> int:
        """Files in all shards."""
        return int(self.starts[-1])

    def stems_of(self, kind: str) -> list[Path]:
        """Stems of the runs of one kind: ranks, contents or bands."""
        return [stem.with_name(f"{stem.name}-{kind}") for stem in self.stems]

    def numbers(self, runs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """int64 file numbers of rows of shards."""
        return self.starts[runs] + rows


def gather_sketches(stems: Sequence[Path]) -> Sketched:
    """The sketches of these stems, all of which are whole. Raises ShardError if there are more files than ranks of 32 bits."""
    rows = [int(np.load(_rows_path(stem))) for stem in stems]
    if sum(rows) >= 2**32:
        raise ShardError(f"{sum(rows)} files to deduplicate; allowed: fewer than 2**32; deduplicate parts of the corpus first")
    return Sketched(stems, np.concatenate([[0], np.cumsum(rows)]).astype(np.int64))


def sketch_shard(path: Path, folder: Path, scheme: Scheme) -> Path:
    """Sketch a shard of SourceFile rows, unless it has been done; return the stem. Raises ShardError if a content is missing."""
    stem = folder / path.stem
    if _rows_path(stem).exists():
        return stem
    table = read_shard(path, SKETCHED_COLUMNS)
    if table["content"].null_count:
        raise ShardError(f"{path}: content: found {table['content'].null_count} rows without text; every file needs one, even if empty")
    text, starts = text_buffer(table["content"])
    _write_names(stem, table.select(NAME_SCHEMA.names))
    write_sketch(stem, rank_keys(table), content_keys(text, starts), scheme.band_keys_of_texts(text, starts))
    return stem


def write_sketch(stem: Path, ranks: np.ndarray, contents: np.ndarray, bands: np.ndarray) -> None:
    """Write the runs of a shard of files: S32[files], S16[files], uint64[files, bands]."""
    rows = np.arange(ranks.size, dtype=np.uint32)
    write_run(stem.with_name(f"{stem.name}-ranks"), ranks, rows)
    write_run(stem.with_name(f"{stem.name}-contents"), contents, rows)
    write_run(stem.with_name(f"{stem.name}-bands"), bands.ravel(), np.repeat(rows, bands.shape[1]))
    write_array(_rows_path(stem), np.array(ranks.size))


def shingle_rows(paths: Sequence[Path], ngram_tokens: int, shard: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(uint64 shingle sets end to end, int64 sizes) of some rows of shard paths[shard]."""
    contents = read_shard(paths[shard], ["content"])["content"]
    text, starts = text_buffer(contents)
    sets = [shingle_bytes(text[starts[row] : starts[row + 1]], ngram_tokens) for row in rows]
    return np.concatenate([np.empty(0, np.uint64), *sets]), np.array([len(one) for one in sets], dtype=np.int64)


def content_keys(text: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """S16[texts]: what texts share exactly when their bytes are equal, 128 bits of their sha256."""
    digests = [hashlib.sha256(text[start:stop].data).digest()[:CONTENT_KEY_BYTES] for start, stop in pairwise(starts)]
    return np.frombuffer(b"".join(digests), dtype=f"S{CONTENT_KEY_BYTES}")


def names_of(sketched: Sketched, numbers: np.ndarray) -> pa.Table:
    """NAME_SCHEMA rows of the files of these numbers, in their order."""
    shards = np.searchsorted(sketched.starts, numbers, side="right") - 1
    order = np.argsort(shards, kind="stable")
    parts = [NAME_SCHEMA.empty_table()]
    for shard in np.unique(shards):
        rows = numbers[order][shards[order] == shard] - sketched.starts[shard]
        with pa.memory_map(str(_names_path(sketched.stems[shard]))) as file:
            parts.append(pa.ipc.open_file(file).read_all().take(pa.array(rows)).combine_chunks())
    places = np.empty(numbers.size, dtype=np.int64)
    places[order] = np.arange(numbers.size)
    return pa.concat_tables(parts).take(pa.array(places))


def _write_names(stem: Path, names: pa.Table) -> None:
    with (
        written_whole(_names_path(stem), survives_power_loss=False) as path,
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, NAME_SCHEMA) as writer,
    ):
        writer.write_table(names.cast(NAME_SCHEMA))


def _names_path(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.names.arrow")


def _rows_path(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.rows.npy")

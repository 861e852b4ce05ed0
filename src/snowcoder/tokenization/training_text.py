"""Reads the text that a tokenizer is trained on, and the text that it is measured on.

in: SourceFile rows with `split`  out: contents of train files up to a number of bytes; bytes per token on held_out files
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from snowcoder.errors import EmptyResultError
from snowcoder.storage.shards import list_shards, read_shard, read_table
from snowcoder.tokenization.tokenizer import encode_batch

BATCH_FILES = 256


@dataclass(frozen=True)
class TrainingFiles:
    """file_ids: files to train on; n_bytes: their size together."""

    file_ids: pa.Array
    n_bytes: int


def choose_training_files(folder: Path, max_bytes: int) -> TrainingFiles:
    """Train files in the order of their content hash, as many as fit into `max_bytes`, or one. Raises EmptyResultError without any."""
    chosen = _choose(folder, "train", max_bytes)
    if len(chosen.file_ids) == 0:
        raise EmptyResultError(f"{folder}: no file in split 'train'; lower split_files.held_out_fraction, or add repositories")
    return chosen


def iterate_training_texts(folder: Path, file_ids: pa.Array) -> Iterator[str]:
    """Contents of the files of `file_ids`, one shard in memory at a time."""
    for path in list_shards(folder):
        rows = read_shard(path, ["file_id", "content"])
        yield from rows.filter(pc.is_in(rows["file_id"], file_ids))["content"].to_pylist()


def measure_compression(folder: Path, tokenizer: Tokenizer, max_bytes: int) -> dict[str, float]:
    """Bytes per token on held_out files (end of text not counted): by language and "all"; a language without files is left out."""
    chosen = _choose(folder, "held_out", max_bytes)
    totals: dict[str, list[int]] = {}
    for path in list_shards(folder):
        rows = read_shard(path, ["file_id", "content", "language", "n_bytes"])
        for batch in rows.filter(pc.is_in(rows["file_id"], chosen.file_ids)).to_batches(max_chunksize=BATCH_FILES):
            encoded = encode_batch(tokenizer, batch["content"].to_pylist())
            for language, n_bytes, ids in zip(batch["language"].to_pylist(), batch["n_bytes"].to_pylist(), encoded, strict=True):
                for name in (language, "all"):
                    total = totals.setdefault(name, [0, 0])
                    total[0] += n_bytes
                    total[1] += len(ids)
    return {name: n_bytes / n_tokens for name, (n_bytes, n_tokens) in totals.items() if n_tokens}


def _choose(folder: Path, split: str, max_bytes: int) -> TrainingFiles:
    # The hash of the content gives a random order independent of position.
    rows = read_table(folder, ["file_id", "content_sha256", "n_bytes", "split"])
    rows = rows.filter(pc.equal(rows["split"], split)).sort_by([("content_sha256", "ascending"), ("file_id", "ascending")])
    ends = pc.cumulative_sum(rows["n_bytes"]).to_pylist()
    n_files = sum(end <= max_bytes for end in ends) or min(1, len(ends))
    return TrainingFiles(rows["file_id"].slice(0, n_files).combine_chunks(), ends[n_files - 1] if n_files else 0)

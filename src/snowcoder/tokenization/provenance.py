"""Traces a token back to the file it came from.

out: table of PROVENANCE_SCHEMA, a row per run of one file's tokens in one sequence, in the order of the stream:
  sequence            number of the packed sequence
  offset, n_tokens    the run in the sequence: tokens offset to offset + n_tokens
  file_id, repository, path, language
  byte_start, byte_end  the run's tokens in the file's UTF-8 content; end of text has no byte
A byte-level token stands for a fixed number of bytes, so that spans follow from the vocabulary alone; they may cut a character in two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.source_files.records import text_columns
from snowcoder.storage.shards import list_shards, read_shard

PROVENANCE_SCHEMA = pa.schema(
    [
        *(("sequence", pa.int64()), ("offset", pa.int32()), ("n_tokens", pa.int32())),
        *text_columns("file_id", "repository", "path", "language"),
        *(("byte_start", pa.int64()), ("byte_end", pa.int64())),
    ]
)


@dataclass(frozen=True)
class Pieces:
    """The runs that sequence borders cut files into; int64 [pieces] each, in the order of the stream.

    row: of the ordered files; sequence, offset: where the run starts; token_start, token_end: the run in the file's own tokens.
    """

    row: np.ndarray
    sequence: np.ndarray
    offset: np.ndarray
    token_start: np.ndarray
    token_end: np.ndarray


def cut_pieces(starts: np.ndarray, n_tokens: np.ndarray, sequence_length: int, n_sequences: int) -> Pieces:
    """Cut files at `starts` of the stream (int64 [rows], n_tokens likewise); what reaches beyond the last sequence is left out."""
    stream_end = n_sequences * sequence_length
    ends = np.minimum(starts + n_tokens, stream_end)
    first = starts // sequence_length
    counts = np.where(starts < ends, (ends - 1) // sequence_length - first + 1, 0)
    row = np.repeat(np.arange(len(starts), dtype=np.int64), counts)
    # number of the piece within its file
    number = np.arange(len(row), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    sequence = first[row] + number
    begin = np.maximum(starts[row], sequence * sequence_length)
    end = np.minimum(ends[row], (sequence + 1) * sequence_length)
    return Pieces(row, sequence, begin - sequence * sequence_length, begin - starts[row], end - starts[row])


def provenance_table(files: pa.Table, pieces: Pieces, byte_start: np.ndarray, byte_end: np.ndarray, chosen: slice) -> pa.Table:
    """Rows of PROVENANCE_SCHEMA for the pieces `chosen`; files: catalogue rows in the order of the stream."""
    described = files.select(["file_id", "repository", "path", "language"]).take(pieces.row[chosen])
    columns = {
        "sequence": pieces.sequence[chosen],
        "offset": pieces.offset[chosen],
        "n_tokens": (pieces.token_end - pieces.token_start)[chosen],
        "byte_start": byte_start[chosen],
        "byte_end": byte_end[chosen],
    }
    for name, values in columns.items():
        described = described.append_column(name, pa.array(values))
    return described.select(PROVENANCE_SCHEMA.names).cast(PROVENANCE_SCHEMA)


def files_in(folder: Path, sequences: Sequence[int]) -> list[str]:
    """`repository/path` of every file with tokens in one of the sequences, in the order of the stream. folder: a provenance table."""
    wanted = pa.array(sorted(set(sequences)), pa.int64())
    found: dict[str, None] = {}
    for path in list_shards(folder):
        rows = read_shard(path, ["sequence", "repository", "path"])
        for row in rows.filter(pc.is_in(rows["sequence"], wanted)).to_pylist():
            found[f"{row['repository']}/{row['path']}"] = None
    return list(found)

"""Packs ordered files contiguously, one after the other, and cuts them into sequences of fixed length.

in: catalogue rows and the Parquet shards that hold their tokens
out: a folder of token shards (see token_shards) with the subfolder provenance/ (see provenance)
Nothing is padded and nothing is reordered: sequence i holds tokens i * sequence_length to (i + 1) * sequence_length of the stream. Every
document ends in end of text; where a document is a whole repository, the other files of it lose theirs. The last, partial sequence is
dropped and counted, so that tokens in = tokens out + dropped_tail_tokens + joined_files.
The place of every file follows from the catalogue alone. So each input shard is read once, in any process, and its tokens are written to
their places: memory holds the catalogue and one shard per worker, and the bytes are the same for any number of workers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from snowcoder.errors import EmptyResultError, ShardError
from snowcoder.pipeline.execution import map_items
from snowcoder.pipeline.params import ParamsModel
from snowcoder.storage.shards import read_shard, write_table
from snowcoder.tokenization.mixing import Mixture
from snowcoder.tokenization.ordering import Document, GroupBy, document_ends, packing_order
from snowcoder.tokenization.provenance import PROVENANCE_SCHEMA, Pieces, cut_pieces, provenance_table
from snowcoder.tokenization.token_shards import TOKEN_DTYPE, ShardLayout

NO_DOCUMENTS = "data/none"  # a table without rows


class PackingParams(ParamsModel):
    """What all variants share."""

    sequence_length: int = Field(gt=1)
    """Tokens of a packed sequence (paper: 8192)."""
    group_by: GroupBy
    """language_then_repository: adopted by the paper; repository: its ablation (Table 3)."""
    document: Document = "file"
    """What ends in end of text. repository: the concatenated files of one, as in the paper; file: each. Synthetic ones always do."""
    sequences_per_shard: int = Field(gt=0)
    """Sequences of a token shard, which has 2 * sequence_length * sequences_per_shard bytes."""
    seed: int = Field(ge=0)
    """Seed of the random order of repositories and files, and of the part that a broken pass repeats."""


class PackingItemParams(ParamsModel):
    """What one variant packs: pretrain.variants.<variant>.packs."""

    files: str
    """Folder of tokenised files (all train rows are taken), or of a selection of them (select_files)."""
    languages: list[str] | None = Field(default=None, min_length=1)
    """Languages of `files` to take; null: all."""
    documents: str
    """Folder of tokenised documents (accept_documents), data/none for none; not read where python_fraction is null."""
    python_fraction: float | None = Field(default=None, gt=0.0, le=1.0)
    """Share of Python tokens in a mix of documents and `files`, or of `files` alone (paper: 0.5, section 2.4); null: each file once."""


@dataclass(frozen=True)
class ShardTask:
    """What one input shard gives. rows: its rows; positions: where each goes in the stream; lengths: its tokens there, without the end of
    text that joins it to the next file; the pieces each is cut into, by token.

    int64 arrays; piece_rows: which of `rows` a piece belongs to.
    """

    path: str
    rows: np.ndarray
    positions: np.ndarray
    lengths: np.ndarray
    piece_rows: np.ndarray
    token_start: np.ndarray
    token_end: np.ndarray


def pack(
    mixture: Mixture, byte_lengths: np.ndarray, params: PackingParams, folder: Path, label: str, in_process: bool = False
) -> dict[str, Any]:
    """Pack into `folder`; return the metrics, which index.json holds too, but for language_mix (of a mix: what was planned, and reached).

    Raises EmptyResultError if there is not one full sequence.

    byte_lengths: int64 [vocab_size], see tokenizer.token_byte_lengths. in_process: in threads; of few tokens, starting processes takes
    longer than packing.
    """
    order = packing_order(mixture.files, mixture.pass_numbers, params.group_by, params.seed)
    files = mixture.files.take(order)
    ends = _ends_of_text(mixture, files, mixture.pass_numbers[order], params)
    lengths = np.asarray(files["n_tokens"]) - ~ends
    starts = np.cumsum(lengths) - lengths
    layout = _layout(folder, int(lengths.sum()), params, label)
    pieces = cut_pieces(starts, lengths, layout.sequence_length, layout.n_sequences)
    layout.allocate()
    byte_start, byte_end = _write_tokens(files, starts, lengths, pieces, byte_lengths, layout, label, in_process)
    write_table(folder / "provenance", _provenance(files, pieces, byte_start, byte_end, layout), PROVENANCE_SCHEMA)
    metrics = _metrics(mixture, files, pieces, int(lengths.sum()), layout) | {"joined_files": int((~ends).sum())}
    layout.publish({**metrics, "group_by": params.group_by})
    return metrics | _language_mix(mixture, metrics["tokens_by_language"])


def write_shard_tokens(task: ShardTask, layout: ShardLayout, byte_lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write the tokens of one input shard to their places; return (byte_start, byte_end) of its pieces, int64 [pieces] each."""
    rows = read_shard(Path(task.path), ["file_id", "n_tokens", "tokens"])
    # Python lists: reading an Arrow column cell by cell is slow
    column, n_tokens, file_ids = (rows[name].to_pylist() for name in ("tokens", "n_tokens", "file_id"))
    byte_start, byte_end = np.empty_like(task.token_start), np.empty_like(task.token_end)
    borders = np.searchsorted(task.piece_rows, np.arange(len(task.rows) + 1))
    places = zip(task.rows.tolist(), task.positions.tolist(), task.lengths.tolist(), strict=True)
    for number, (row, position, length) in enumerate(places):
        tokens = np.frombuffer(column[row], TOKEN_DTYPE)
        if len(tokens) != n_tokens[row]:
            raise ShardError(f"{task.path}: n_tokens: found {n_tokens[row]} for {file_ids[row]} of {len(tokens)}; run `dvc repro -f`")
        layout.write_at(position, tokens[:length])
        ends = np.concatenate([[0], np.cumsum(byte_lengths[tokens])])
        own = slice(borders[number], borders[number + 1])
        byte_start[own], byte_end[own] = ends[task.token_start[own]], ends[task.token_end[own]]
    return byte_start, byte_end


def _ends_of_text(mixture: Mixture, files: pa.Table, pass_numbers: np.ndarray, params: PackingParams) -> np.ndarray:
    """bool [rows]: whether a row keeps its end of text: the last of a document, and every synthetic one."""
    if params.document == "file":
        return np.ones(len(files), dtype=bool)
    written = [language for language, plan in mixture.plans.items() if plan.source == "documents"]
    synthetic = np.asarray(pc.is_in(files["language"], pa.array(written, pa.string())))
    return synthetic | document_ends(files, pass_numbers, params.group_by)


def _layout(folder: Path, n_tokens: int, params: PackingParams, label: str) -> ShardLayout:
    n_sequences = n_tokens // params.sequence_length
    if n_sequences == 0:
        raise EmptyResultError(
            f"{label}: {n_tokens} tokens do not fill one sequence of pack_tokens.sequence_length = {params.sequence_length}; "
            "add files, a larger select_files budget, or shorter sequences"
        )
    return ShardLayout(folder, params.sequence_length, n_sequences, params.sequences_per_shard)


def _write_tokens(
    files: pa.Table,
    starts: np.ndarray,
    lengths: np.ndarray,
    pieces: Pieces,
    byte_lengths: np.ndarray,
    layout: ShardLayout,
    label: str,
    in_process: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Spread the work over input shards; (byte_start, byte_end) of all pieces, in the order of the stream."""
    tasks, places = _tasks(files, starts, lengths, pieces)
    results = map_items(partial(write_shard_tokens, layout=layout, byte_lengths=byte_lengths), tasks, label, releases_gil=in_process)
    byte_start, byte_end = np.empty_like(pieces.row), np.empty_like(pieces.row)
    for place, (start, end) in zip(places, results, strict=True):
        byte_start[place], byte_end[place] = start, end
    return byte_start, byte_end


def _tasks(files: pa.Table, starts: np.ndarray, lengths: np.ndarray, pieces: Pieces) -> tuple[list[ShardTask], list[np.ndarray]]:
    """(a task per input shard, for each the positions of its pieces among all pieces)."""
    encoded = files["shard"].combine_chunks().dictionary_encode()
    shard_of_row = np.asarray(encoded.indices)
    shard_rows = np.asarray(files["row"])
    tasks, places = [], []
    for number, path in enumerate(encoded.dictionary.to_pylist()):
        chosen = np.flatnonzero(shard_of_row == number)
        place = np.flatnonzero(shard_of_row[pieces.row] == number)
        # pieces are sorted by file, so that piece_rows is sorted too
        piece_rows = np.searchsorted(chosen, pieces.row[place])
        own = (shard_rows[chosen], starts[chosen], lengths[chosen])
        tasks.append(ShardTask(path, *own, piece_rows, pieces.token_start[place], pieces.token_end[place]))
        places.append(place)
    return tasks, places


def _provenance(files: pa.Table, pieces: Pieces, byte_start: np.ndarray, byte_end: np.ndarray, layout: ShardLayout) -> Iterator[pa.Table]:
    """One table per token shard."""
    firsts = np.arange(0, layout.n_sequences + layout.sequences_per_shard, layout.sequences_per_shard)
    borders = np.searchsorted(pieces.sequence, firsts)
    for begin, end in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        yield provenance_table(files, pieces, byte_start, byte_end, slice(begin, end))


def _language_mix(mixture: Mixture, tokens_by_language: dict[str, int]) -> dict[str, Any]:
    total = sum(tokens_by_language.values())
    reached = {language: tokens_by_language.get(language, 0) / total for language in mixture.plans}
    rows = {
        language: {
            "source": plan.source,
            "planned": plan.planned,
            "reached": reached[language],
            "unique_tokens": plan.unique_tokens,
            "passes": plan.epochs,
        }
        for language, plan in mixture.plans.items()
    }
    return {"language_mix": rows} if rows else {}


def _metrics(mixture: Mixture, files: pa.Table, pieces: Pieces, n_tokens_in: int, layout: ShardLayout) -> dict[str, Any]:
    languages = files["language"].combine_chunks().dictionary_encode()
    names = languages.dictionary.to_pylist()
    counts = np.bincount(np.asarray(languages.indices)[pieces.row], pieces.token_end - pieces.token_start, minlength=len(names))
    by_language = dict(sorted(zip(names, counts.astype(np.int64).tolist(), strict=True)))
    if sum(by_language.values()) != layout.n_tokens:
        raise AssertionError(f"tokens do not add up: {by_language} in {layout.n_tokens} packed tokens")
    return {
        "files": pc.count_distinct(files["file_id"]).as_py(),
        "n_sequences": layout.n_sequences,
        "n_tokens": layout.n_tokens,
        "dropped_tail_tokens": n_tokens_in - layout.n_tokens,
        "tokens_by_language": by_language,
        "python_fraction": by_language.get("python", 0) / layout.n_tokens,
        "documents_fraction": mixture.documents_fraction,
        "passes": {"documents": mixture.document_epochs, "files": mixture.file_epochs},
    }

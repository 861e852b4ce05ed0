"""Embeds the sections of every file of the pool: one pass of the encoder over the corpus and the positives of all recipes.

in: SourceFile rows with `split` (corpus) or with `kind` (positives)  out: rows of embedding_table
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from snowcoder.embedding.embedding_table import CORPUS, FILE_COLUMNS
from snowcoder.embedding.encoder import Encoder
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.embedding.file_sections import SectionCutter
from snowcoder.embedding.pool import without_rest
from snowcoder.pipeline.execution import ShardResult


def embed_shard(files: pa.Table, params: EmbedParams, folder: Path) -> ShardResult:
    """Rows as above as table "sections"; summary: {source: {files, sections}}, of the corpus also files_outside_pool (see pool).
    `folder`: the encoder's, already checked."""
    n_files, is_corpus = len(files), "kind" not in files.column_names
    if is_corpus:
        files = without_rest(files, params.pool_fraction, params.pool_seed)
    n_outside = n_files - len(files)
    files = _with_source(files).sort_by("file_id")
    sections = _cutter(folder, params.section_tokens).cut(files["content"].to_pylist())
    flat = [section for group in sections for section in group]
    encoder = _encoder(folder, params)
    vectors = encoder.embed([section.token_ids for section in flat], params.batch_tokens, f"embed {len(flat)} sections, batches")
    rows = np.repeat(np.arange(len(sections)), np.array([len(group) for group in sections], dtype=np.int64))
    table = files.select(FILE_COLUMNS).take(pa.array(rows))
    table = table.append_column("section", pa.array([section.index for section in flat], pa.int8()))
    table = table.append_column("embedding", pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), encoder.dimensions))
    counts = _count(table)
    if is_corpus:
        counts.setdefault(CORPUS, {"files": 0, "sections": 0})["files_outside_pool"] = n_outside
    return ShardResult({"sections": table}, counts)


def embed_texts(texts: Sequence[str], params: EmbedParams, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """(float64 [sections, D], where the sections of each text begin) of texts outside the corpus."""
    sections = _cutter(folder, params.section_tokens).cut(texts)
    flat = [section.token_ids for group in sections for section in group]
    vectors = _encoder(folder, params).embed(flat, params.batch_tokens, f"embed {len(flat)} sections, batches")
    sizes = np.array([len(group) for group in sections])
    return vectors.astype(np.float64), np.cumsum(sizes) - sizes


def total_by_source(summaries: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, Counter[str]]:
    """The summaries of all shards, added."""
    totals: dict[str, Counter[str]] = {}
    for summary in summaries:
        for source, counts in summary.items():
            totals.setdefault(source, Counter()).update(counts)
    return totals


def _with_source(files: pa.Table) -> pa.Table:
    if "kind" in files.column_names:
        files = files.append_column("source", files["kind"])
        return files.append_column("split", pa.array(["train"] * len(files), pa.string()))
    return files.append_column("source", pa.array([CORPUS] * len(files), pa.string()))


def _count(table: pa.Table) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in table.select(["source", "section"]).to_pylist():
        cell = counts.setdefault(row["source"], {"files": 0, "sections": 0})
        cell["files"] += row["section"] == 0  # every file has a top
        cell["sections"] += 1
    return counts


@cache  # for the life of the process: loading costs as much as a small shard
def _encoder(folder: Path, params: EmbedParams) -> Encoder:
    return Encoder(folder, params.encoder.pooling, params.bf16, params.cpu_threads, params.device)


@cache
def _cutter(folder: Path, section_tokens: int) -> SectionCutter:
    return SectionCutter(folder / "tokenizer.json", section_tokens)

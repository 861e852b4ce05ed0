"""Measures how much of each document is in the corpus, exactly: shared token n-grams with every file of its language.

in: documents, shards of data/split_files   out: per document the containment in its seed, and the file that it is a near duplicate of
Containment = shared n-grams / n-grams of the document. Jaccard is exact too: no hashing into bands, so that nothing is missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.shared_ngrams import NgramIndex, index_ngrams
from snowcoder.deduplication.shingles import shingle
from snowcoder.pipeline.execution import map_items
from snowcoder.storage.shards import read_shard


@dataclass(frozen=True)
class CorpusOverlap:
    """seed_containment: 0..1. duplicate_of: `repository path` of the most similar file from the threshold on, or ''."""

    seed_containment: float
    duplicate_of: str


@dataclass(frozen=True)
class IndexedDocuments:
    """The n-grams of some documents, and the seed and language of each."""

    ngrams: NgramIndex
    seeds: tuple[str, ...]
    languages: tuple[str, ...]


def measure_overlaps(documents: Sequence[dict[str, Any]], shards: Sequence[Path], params: DeduplicationParams) -> list[CorpusOverlap]:
    """One per document, in their order."""
    if not documents:
        return []
    index = index_documents(documents, params.ngram_tokens)
    parts = map_items(partial(shard_overlaps, index=index, params=params), shards, "accept_documents: corpus")
    containment = np.zeros(len(documents))
    best: dict[int, tuple[float, str]] = {}
    for seeds, duplicates in parts:
        for document, value in seeds:
            containment[document] = value
        for document, shared, name in duplicates:
            best[document] = min(best.get(document, (0.0, "")), (-shared, name))
    return [CorpusOverlap(float(containment[number]), best.get(number, (0.0, ""))[1]) for number in range(len(documents))]


def index_documents(documents: Sequence[dict[str, Any]], ngram_tokens: int) -> IndexedDocuments:
    """The n-grams of the documents' content."""
    return IndexedDocuments(
        ngrams=index_ngrams([row["content"] for row in documents], ngram_tokens),
        seeds=tuple(row["seed_file_id"] for row in documents),
        languages=tuple(row["language"] for row in documents),
    )


def shard_overlaps(
    path: Path, index: IndexedDocuments, params: DeduplicationParams
) -> tuple[list[tuple[int, float]], list[tuple[int, float, str]]]:
    """([(document, containment in its seed)], [(document, Jaccard, file)] of near duplicates) by the files of one shard."""
    seeds, duplicates = [], []
    sizes = index.ngrams.sizes
    languages = set(index.languages)
    for row in read_shard(path, ["file_id", "repository", "path", "language", "content"]).to_pylist():
        if row["language"] not in languages:
            continue
        grams = shingle(row["content"], params.ngram_tokens)
        shared = index.ngrams.shared_with(grams)
        for document in np.flatnonzero(shared).tolist():
            if index.seeds[document] == row["file_id"]:
                seeds.append((document, float(shared[document] / sizes[document])))
            jaccard = float(shared[document] / (grams.size + sizes[document] - shared[document]))
            if jaccard >= params.jaccard_threshold and index.languages[document] == row["language"]:
                duplicates.append((document, jaccard, f"{row['repository']} {row['path']}"))
    return seeds, duplicates

"""Scores of texts whose embeddings are not stored: corpus files by a tuned encoder, and texts outside the corpus.

in: SourceFile rows with `split`, the tuned encoder, its head  out: rows of scoring.SCORE_SCHEMA
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from snowcoder.annotator.head import Head, mean_by_file, read_head
from snowcoder.annotator.scoring import score_shard
from snowcoder.annotator.tuned_encoder import RunnableEncoder, encoder_of
from snowcoder.embedding.embed_shard import embed_shard, embed_texts
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.pipeline.execution import ShardResult


def embed_and_score_shard(files: pa.Table, encoder: RunnableEncoder, head: Head) -> ShardResult:
    """As score_shard, from files instead of from their embeddings, which are not kept: they would serve this head alone."""
    return score_shard(embed_shard(files, encoder.params, encoder.folder).tables["sections"], head)


def score_texts(texts: Sequence[str], models: Mapping[str, Path], frozen: EmbedParams) -> dict[str, np.ndarray]:
    """{recipe: float64 score of each text} of texts outside the corpus. models: recipe -> folder of its annotator."""
    embedded: dict[Path, tuple[np.ndarray, np.ndarray]] = {}  # a frozen encoder serves all recipes
    scores = {}
    for recipe, model in models.items():
        encoder = encoder_of(model, frozen)
        if encoder.folder not in embedded:
            embedded[encoder.folder] = embed_texts(texts, encoder.params, encoder.folder)
        vectors, starts = embedded[encoder.folder]
        scores[recipe] = mean_by_file(read_head(model).score_sections(vectors), starts)
    return scores

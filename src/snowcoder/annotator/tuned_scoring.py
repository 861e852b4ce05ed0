"""Scores of the corpus files by an annotator with an encoder of its own.

in: SourceFile rows with `split`, the tuned encoder, its head  out: rows of scoring.SCORE_SCHEMA
"""

import pyarrow as pa

from snowcoder.annotator.head import Head
from snowcoder.annotator.scoring import score_shard
from snowcoder.annotator.tuned_encoder import RunnableEncoder
from snowcoder.embedding.embed_shard import embed_shard
from snowcoder.pipeline.execution import ShardResult


def embed_and_score_shard(files: pa.Table, encoder: RunnableEncoder, head: Head) -> ShardResult:
    """As score_shard, from files instead of from their embeddings, which are not kept: they would serve this head alone."""
    return score_shard(embed_shard(files, encoder.params, encoder.folder).tables["sections"], head)

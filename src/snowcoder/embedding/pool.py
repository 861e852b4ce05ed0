"""Draws the pool: the part of the train split that is embedded, scored and may be selected.

Embedding costs more than all that comes before it, and a choice needs candidates, not the whole corpus. A hash of a file's content decides,
so that the pool keeps the corpus' mix of languages and repositories up to chance, and a larger fraction holds every file of a smaller one.
Held-out files and positives are always embedded: annotators are judged on them.
"""

import pyarrow as pa

from snowcoder.seeding import unit_hash
from snowcoder.words import TRAIN


def is_in_pool(content_sha256: str, fraction: float, seed: int) -> bool:
    """Whether a train file with this content belongs to the pool."""
    return unit_hash(seed, "pool", content_sha256) < fraction


def without_rest(files: pa.Table, fraction: float, seed: int) -> pa.Table:
    """Rows with split and content_sha256, less the train files outside the pool."""
    digests, splits = files["content_sha256"].to_pylist(), files["split"].to_pylist()
    kept = [split != TRAIN or is_in_pool(digest, fraction, seed) for digest, split in zip(digests, splits, strict=True)]
    return files.filter(pa.array(kept, pa.bool_()))

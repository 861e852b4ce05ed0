"""Scores the pool's files by every baseline.

in: data/split_files, data/embed_files (which files are the pool), data/fetch_positives, a model
out: one row per train file of the pool, sorted by file_id; of every score, the highest are chosen first, within a language:
  file_id, language, repository, split, content_sha256  string
  n_bytes                                               int64
  shortest, loops, docstrings                           float64  see heuristics
  dsir                                                  float64  mean log2 ratio of an n-gram, see dsir
  hashed_ngrams                                         float64  log-odds, see hashed_ngrams
  perplexity_low, perplexity_middle, perplexity_high    float64  -(bits per byte), -(distance to the median rank), bits per byte
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.baselines import dsir
from snowcoder.baselines.baseline_params import BASELINES, HEURISTICS, NGRAM_SCORES, PerplexityParams, ScoreBaselinesParams
from snowcoder.baselines.examples import Examples, assign_folds, choose_examples
from snowcoder.baselines.hashed_ngrams import Classifiers, fit_classifiers
from snowcoder.baselines.heuristics import heuristic_scores
from snowcoder.baselines.ngram_counts import count_ngrams
from snowcoder.baselines.perplexity import beginning_bits_per_byte, perplexity_bands
from snowcoder.embedding.embedding_table import CORPUS
from snowcoder.errors import ShardError
from snowcoder.pipeline.execution import ShardResult
from snowcoder.source_files.records import text_columns
from snowcoder.storage.shards import list_shards, read_shard
from snowcoder.words import TRAIN

_FILE = [*text_columns("file_id", "language", "repository", "split", "content_sha256"), ("n_bytes", pa.int64())]
BASELINE_SCHEMA = pa.schema([*_FILE, *((name, pa.float64()) for name in BASELINES)])
# what is known of a file without the others
SHARD_SCHEMA = pa.schema([*_FILE, *((name, pa.float64()) for name in (*HEURISTICS, *NGRAM_SCORES, "bits_per_byte"))])


@dataclass(frozen=True)
class Pool:
    """file_ids: of the train files that were embedded; folds: of their repositories."""

    file_ids: pa.Array
    folds: Mapping[str, int]

    def of(self, files: pa.Table) -> pa.Table:
        """The rows of `files` that belong to the pool, sorted by file_id."""
        return files.filter(pc.is_in(files["file_id"], value_set=self.file_ids)).sort_by("file_id")


@dataclass(frozen=True)
class NgramModels:
    """What dsir and hashed_ngrams have learned, for each fold."""

    log_ratios: np.ndarray
    classifiers: Classifiers


def read_files(embeddings: Path) -> pa.Table:
    """One row per train file of data/embed_files, positives included: file_id, source, repository, language, content_sha256."""
    columns = ["file_id", "source", "repository", "language", "content_sha256"]
    tables = [read_shard(path, [*columns, "split", "section"]) for path in list_shards(embeddings)]
    table = pa.concat_tables(tables)
    return table.filter(pc.and_(pc.equal(table["section"], 0), pc.equal(table["split"], TRAIN))).select(columns)


def find_pool(files: pa.Table, params: ScoreBaselinesParams) -> Pool:
    """files: as read_files gives them."""
    pool = files.filter(pc.equal(files["source"], CORPUS))
    return Pool(pool["file_id"].combine_chunks(), assign_folds(pool["repository"].to_pylist(), params.folds, params.seed))


def fit_ngram_models(files: pa.Table, pool: Pool, shards: Sequence[Path], params: ScoreBaselinesParams) -> NgramModels:
    """files: as read_files gives them; shards: of the tables that hold their texts."""
    examples = choose_examples(files, pool.folds, params.ordinary_files, params.seed)
    texts = _read_texts(shards, examples)
    what = (examples.is_positive, examples.folds, params.folds)
    log_ratios = dsir.fit_log_ratios(count_ngrams(texts, params.dsir_buckets), *what)
    counts = count_ngrams(texts, params.hashed_ngrams.buckets)
    return NgramModels(log_ratios, fit_classifiers(counts, *what, params.hashed_ngrams, params.seed))


def score_shard(files: pa.Table, pool: Pool, models: NgramModels, model: Path, params: PerplexityParams) -> ShardResult:
    """Rows of SHARD_SCHEMA as table "scores", of the files that belong to the pool."""
    files = pool.of(files)
    if not len(files):
        return ShardResult({"scores": SHARD_SCHEMA.empty_table()})
    texts = files["content"].to_pylist()
    folds = np.array([pool.folds[name] for name in files["repository"].to_pylist()], dtype=np.int64)
    rows = [heuristic_scores(language, text) for language, text in zip(files["language"].to_pylist(), texts, strict=True)]
    scores = {
        **{name: [row[name] for row in rows] for name in HEURISTICS},
        "dsir": dsir.score(count_ngrams(texts, models.log_ratios.shape[1]), models.log_ratios, folds),
        "hashed_ngrams": models.classifiers.score(count_ngrams(texts, models.classifiers.weights.shape[1]), folds),
        "bits_per_byte": beginning_bits_per_byte(texts, model, params),
    }
    for name, values in scores.items():
        files = files.append_column(name, pa.array(values, pa.float64()))
    return ShardResult({"scores": files.select(SHARD_SCHEMA.names)})


def with_bands(scored: pa.Table) -> pa.Table:
    """BASELINE_SCHEMA rows, sorted by file_id. scored: rows of SHARD_SCHEMA."""
    scored = scored.sort_by("file_id")
    bands = perplexity_bands(scored["bits_per_byte"].to_numpy(), scored["language"].to_pylist())
    for name, values in bands.items():
        scored = scored.append_column(name, pa.array(values, pa.float64()))
    return scored.select(BASELINE_SCHEMA.names)


def _read_texts(shards: Sequence[Path], examples: Examples) -> list[str]:
    """Column `content` of the examples, in their order, a shard in memory at a time. Raises ShardError if one is in no shard."""
    wanted = pa.array(examples.file_ids)
    texts: dict[str, str] = {}
    for path in shards:
        table = read_shard(path, ["file_id", "content"])
        table = table.filter(pc.is_in(table["file_id"], value_set=wanted))
        texts |= dict(zip(table["file_id"].to_pylist(), table["content"].to_pylist(), strict=True))
    missing = [file_id for file_id in examples.file_ids if file_id not in texts]
    if missing:
        raise ShardError(
            f"data/split_files, data/fetch_positives: found no file {missing[0]} (and {len(missing) - 1} more) of data/embed_files; "
            "allowed: the files that were embedded; run `dvc repro`"
        )
    return [texts[file_id] for file_id in examples.file_ids]

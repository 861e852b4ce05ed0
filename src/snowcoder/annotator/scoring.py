"""Scores of the corpus files by one head.

in: rows of embedding_table, a head  out: one row per corpus file (positives are left out: their shards come out empty), sorted by file_id:
  file_id, language, repository, split  string
  n_bytes                               int64
  licence, path, content_sha256         string
  score                                 float64  mean of the scores of the file's sections
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.annotator.embedding_table import CORPUS, embeddings_of
from snowcoder.annotator.head import Head, file_starts, mean_by_file
from snowcoder.execution import ShardResult

SCORE_SCHEMA = pa.schema(
    [
        ("file_id", pa.string()),
        ("language", pa.string()),
        ("repository", pa.string()),
        ("split", pa.string()),
        ("n_bytes", pa.int64()),
        ("licence", pa.string()),
        ("path", pa.string()),
        ("content_sha256", pa.string()),
        ("score", pa.float64()),
    ]
)


def score_shard(sections: pa.Table, head: Head) -> ShardResult:
    """Rows as above as table "scores"; summary: {language: {"files", "score_sum"}} of the train split."""
    sections = sections.filter(pc.equal(sections["source"], CORPUS)).sort_by([("file_id", "ascending"), ("section", "ascending")])
    if not len(sections):
        return ShardResult({"scores": SCORE_SCHEMA.empty_table()}, {})
    starts = file_starts(sections["file_id"].to_numpy())
    scores = mean_by_file(head.score_sections(embeddings_of(sections)), starts)
    files = sections.select(SCORE_SCHEMA.names[:-1]).take(pa.array(starts)).append_column("score", pa.array(scores))
    return ShardResult({"scores": files}, _summary(files))


def summarise_scores(summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """{language: {"files", "mean_score"}} of the train split over all shards."""
    totals: dict[str, list[float]] = {}
    for summary in summaries:
        for language, cell in summary.items():
            total = totals.setdefault(language, [0, 0.0])
            total[0] += cell["files"]
            total[1] += cell["score_sum"]
    return {language: {"files": int(files), "mean_score": total / files} for language, (files, total) in totals.items()}


def _summary(files: pa.Table) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for row in files.filter(pc.equal(files["split"], "train")).to_pylist():
        cell = cells.setdefault(row["language"], {"files": 0, "score_sum": 0.0})
        cell["files"] += 1
        cell["score_sum"] += row["score"]
    return cells

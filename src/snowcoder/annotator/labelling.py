"""Educational labels for a sample of the train files.

in: SourceFile rows with `split`  out: one row per labelled file, sorted by file_id within a shard:
  file_id   string
  label     float64  0 to 5
  labeller  string   who judged: `rubric` (see rubric), never passed off as an LLM's judgement
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from snowcoder.annotator.rubric import LABELLER, score_file
from snowcoder.errors import EmptyResultError
from snowcoder.execution import ShardResult
from snowcoder.params import ParamsModel
from snowcoder.seeding import unit_hash
from snowcoder.shards import read_shard

LABEL_SCHEMA = pa.schema([("file_id", pa.string()), ("label", pa.float64()), ("labeller", pa.string())])
SampleKey = tuple[float, str]


class LabelParams(ParamsModel):
    """Which files are labelled, by whom."""

    labeller: Literal["rubric"] = Field(description="rubric: the written 0-5 rubric, from syntax tree and text")
    sample_files: int = Field(description="train files to label; all of them if there are fewer", ge=1)
    seed: int = Field(description="seed of the sample", ge=0)


def last_sampled(shards: Sequence[Path], sample_files: int, seed: int) -> SampleKey:
    """The greatest key of the sample: the train files with the smallest hashes of content. Raises EmptyResultError without train files."""
    keys: list[SampleKey] = []
    for path in shards:
        rows = read_shard(path, ["file_id", "content_sha256", "split"]).to_pylist()
        keys += [_key(row, seed) for row in rows if row["split"] == "train"]
    if not keys:
        raise EmptyResultError("data/split_files: found no file of the train split to label; allowed: one or more; widen the corpus")
    return sorted(keys)[:sample_files][-1]


def label_shard(files: pa.Table, last: SampleKey, seed: int) -> ShardResult:
    """Rows of LABEL_SCHEMA as table "labels"; summary: {"files", "<language>/<label rounded down>": files}."""
    rows, counts = [], Counter({"files": 0})
    for row in files.sort_by("file_id").to_pylist():
        if row["split"] == "train" and _key(row, seed) <= last:
            label = score_file(row["language"], row["content"]).label
            rows.append({"file_id": row["file_id"], "label": label, "labeller": LABELLER})
            counts.update({"files": 1, f"{row['language']}/{int(label)}": 1})
    return ShardResult({"labels": pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)}, dict(counts))


def summarise_labels(summaries: Sequence[dict[str, int]]) -> dict[str, Any]:
    """{"files", "by_language": {language: {label rounded down: files}}} over all shards."""
    totals: Counter[str] = Counter()
    for summary in summaries:
        totals.update(summary)
    by_language: dict[str, dict[str, int]] = {}
    for key, count in totals.items():
        if key != "files":
            language, label = key.split("/")
            by_language.setdefault(language, {})[label] = count
    return {"files": totals["files"], "labeller": LABELLER, "by_language": by_language}


def _key(row: dict[str, Any], seed: int) -> SampleKey:
    return unit_hash(seed, "label_files", row["content_sha256"]), row["file_id"]

"""Labels a sample of the train files by educational value.

in: SourceFile rows with `split`  out: one row per labelled file, sorted by file_id within a shard:
  file_id   string
  label     float64  0 to 5
  labeller  string   who judged: `rubric` (see rubric), never passed off as an LLM's judgement, or the model's name (see llm_labelling)
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from snowcoder.embedding.pool import without_rest
from snowcoder.errors import EmptyResultError
from snowcoder.inference.engines.engine_params import model_identity
from snowcoder.labels.llm_labelling import Judgements, JudgeParams, judge_files, label_rows
from snowcoder.labels.rubric import LABELLER, score_file
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import ShardResult
from snowcoder.pipeline.param_faults import describe_allowed
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.references import ReadFrom
from snowcoder.seeding import unit_hash
from snowcoder.storage.shards import read_shard, write_table
from snowcoder.words import TRAIN

LABEL_SCHEMA = pa.schema([("file_id", pa.string()), ("label", pa.float64()), ("labeller", pa.string())])
SampleKey = tuple[float, str]


class LabelParams(ParamsModel):
    """Which files are labelled, by whom."""

    labeller: Literal["rubric", "engine"]
    """rubric: the written 0-5 rubric, from syntax tree and text; engine: the LLM of `judge`."""
    judge: JudgeParams | None = None
    """The LLM of labeller engine; null for the rubric."""
    sample_files: int = Field(ge=1)
    """Train files of the pool to label; all of them if there are fewer (paper: 400,000)."""
    seed: int = Field(ge=0)
    """Seed of the sample."""
    pool_fraction: Annotated[float, ReadFrom("embed_files.pool_fraction")] = Field(gt=0, le=1)
    """Share of the train files that is embedded: a label of any other file would serve no annotator."""
    pool_seed: Annotated[int, ReadFrom("embed_files.pool_seed")] = Field(ge=0)
    """Seed of that draw."""

    @model_validator(mode="after")
    def _engine_has_a_judge(self) -> Self:
        if self.labeller == "engine" and self.judge is None:
            raise ValueError(f"judge: found null; allowed: for labeller engine {describe_allowed(JudgeParams)}")
        if self.labeller == "rubric" and self.judge is not None:
            raise ValueError("judge: found a mapping; allowed: null for labeller rubric")
        return self


def last_sampled(shards: Sequence[Path], params: LabelParams) -> SampleKey:
    """The greatest key of the sample: the train files of the pool with the smallest hashes of content.

    Raises EmptyResultError if there is none.
    """
    keys: list[SampleKey] = []
    for path in shards:
        keys += [_key(row, params.seed) for row in _candidates(read_shard(path, ["file_id", "content_sha256", "split"]), params)]
    if not keys:
        raise EmptyResultError(
            "data/split_files: found no file of the train split in the pool to label; allowed: one or more; widen the corpus, or raise "
            "embed_files.pool_fraction"
        )
    return sorted(keys)[: params.sample_files][-1]


def label_shard(files: pa.Table, last: SampleKey, params: LabelParams) -> ShardResult:
    """Rows of LABEL_SCHEMA as table "labels"; summary: {"files", "<language>/<label rounded down>": files}."""
    rows, counts = [], Counter({"files": 0})
    for row in _candidates(files.sort_by("file_id"), params):
        if _key(row, params.seed) <= last:
            label = score_file(row["language"], row["content"]).label
            rows.append({"file_id": row["file_id"], "label": label, "labeller": LABELLER})
            counts.update({"files": 1, f"{row['language']}/{int(label)}": 1})
    return ShardResult({"labels": pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)}, dict(counts))


def summarise_labels(summaries: Sequence[dict[str, int]]) -> dict[str, Any]:
    """{"files", "labeller", "by_language": {language: {label rounded down: files}}} over all shards."""
    return _totals(summaries) | {"labeller": LABELLER}


def read_sample(shards: Sequence[Path], last: SampleKey, params: LabelParams) -> list[list[dict[str, Any]]]:
    """The sampled files of each shard: file_id, language, content, sorted by file_id."""
    columns = ["file_id", "language", "content", "content_sha256", "split"]
    parts = [_candidates(read_shard(path, columns).sort_by("file_id"), params) for path in shards]
    return [[row for row in part if _key(row, params.seed) <= last] for part in parts]


def judge_sample(sample: Sequence[Sequence[dict[str, Any]]], params: JudgeParams, store: Path, output: Path) -> dict[str, Any]:
    """Label a sample by an LLM, shard by shard of `output`; return the metrics. Only what `store` does not hold is asked for."""
    files, labeller = [row for part in sample for row in part], model_identity(params.engine)
    judged = judge_files(files, params, store)
    say(f"label_files: {judged.asked} answers by {labeller}, {judged.reused} from earlier runs")
    write_table(output, [label_rows(part, judged.labels, labeller) for part in sample], LABEL_SCHEMA)
    return summarise_judged(files, judged, labeller)


def summarise_judged(files: Sequence[dict[str, Any]], judged: Judgements, labeller: str) -> dict[str, Any]:
    """As summarise_labels, and {"refused": {reason: answers}}: rows in are rows labelled and rows refused."""
    counts = Counter(f"{row['language']}/{int(judged.labels[row['file_id']])}" for row in files if row["file_id"] in judged.labels)
    assert len(files) == sum(counts.values()) + sum(judged.refused.values()), "every sampled file has a label or a reason"
    refused = dict(sorted(judged.refused.items()))
    return _totals([dict(counts) | {"files": sum(counts.values())}]) | {"labeller": labeller, "refused": refused}


def _totals(summaries: Sequence[dict[str, int]]) -> dict[str, Any]:
    totals: Counter[str] = Counter()
    for summary in summaries:
        totals.update(summary)
    by_language: dict[str, dict[str, int]] = {}
    for key, count in totals.items():
        if key != "files":
            language, label = key.split("/")
            by_language.setdefault(language, {})[label] = count
    return {"files": totals["files"], "by_language": by_language}


def _candidates(files: pa.Table, params: LabelParams) -> list[dict[str, Any]]:
    """The train files of the pool, in the order of `files`."""
    embedded = without_rest(files, params.pool_fraction, params.pool_seed)
    return [row for row in embedded.to_pylist() if row["split"] == TRAIN]


def _key(row: dict[str, Any], seed: int) -> SampleKey:
    return unit_hash(seed, "label_files", row["content_sha256"]), row["file_id"]

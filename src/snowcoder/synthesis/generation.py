"""Makes documents of seeds by rules, shard by shard; model_generation.py asks a model instead.

in: data/split_files, {file_id of a seed: score}   out: DOCUMENT_SCHEMA rows, in the shards of data/split_files, sorted by document_id there
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from snowcoder.errors import EmptyResultError
from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.exercise import ExerciseRules
from snowcoder.inference.engines.engine_params import (
    OpenAIEngineParams,
    ScriptedEngineParams,
    TransformersEngineParams,
    VllmEngineParams,
    model_identity,
    open_engine,
)
from snowcoder.pipeline.execution import Run, ShardResult
from snowcoder.pipeline.param_faults import describe_allowed
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.references import ReadFrom
from snowcoder.sandbox.program import SandboxLimits, check_sandbox
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import read_shard
from snowcoder.synthesis.extractive import ExtractiveTeacher
from snowcoder.synthesis.model_generation import GenerationParams, generate_documents
from snowcoder.synthesis.seeds import LANGUAGE, choose_seeds_by_language
from snowcoder.synthesis.teacher import DOCUMENT_SCHEMA, Seed, refusal_example


class ExtractiveTeacherParams(ParamsModel):
    """No model."""

    kind: Literal["extractive"]
    """No model: documents are made by rules from functions and their doctests."""


TeacherParams = Annotated[
    ExtractiveTeacherParams | TransformersEngineParams | VllmEngineParams | OpenAIEngineParams | ScriptedEngineParams,
    Field(discriminator="kind"),
]


class SynthesizeParams(ParamsModel):
    """How documents are made."""

    recipe: Annotated[str, ReadFrom("select_files.shared.recipe")] = Field(min_length=1)
    """The annotator whose scores choose the seeds (paper: HQINS)."""
    engine: TeacherParams
    """The teacher (paper: Llama-3.1-70B)."""
    seed_top_fraction: float = Field(gt=0, le=1)
    """Share of the Python train files, best first, that become seeds."""
    exercises: ExerciseRules
    """Which functions the extractive teacher makes exercises of."""
    sandbox: SandboxLimits
    """What a function may use while its tests are recorded."""
    generation: GenerationParams | None = None
    """How a model is asked; null for the extractive teacher."""

    @model_validator(mode="after")
    def _a_model_is_told_how(self) -> Self:
        if self.generation is None and self.engine.kind != "extractive":
            raise ValueError(f"generation: found null; allowed: for engine kind {self.engine.kind} {describe_allowed(GenerationParams)}")
        return self


Packages = dict[str, dict[str, str]]


def read_packages(shards: Sequence[Path], seeds: Collection[str]) -> Packages:
    """{repository of a seed: {path: text}} of the Python train files: what a seed may import of its own package. Held in memory."""
    columns = ["file_id", "repository", "path", "language", "split", "content"]
    owners = {row["repository"] for path in shards for row in read_shard(path, columns[:2]).to_pylist() if row["file_id"] in seeds}
    packages: Packages = {}
    for path in shards:
        for row in read_shard(path, columns).to_pylist():
            if row["split"] == "train" and row["language"] == LANGUAGE and row["repository"] in owners:
                packages.setdefault(row["repository"], {})[row["path"]] = row["content"]
    return packages


def synthesize(shards: Sequence[Path], seeds: dict[str, float], params: SynthesizeParams, output: Path, run: Run) -> dict[str, Any]:
    """Write the documents to `output`; return the metrics: accounts of the seeds' candidates.

    seeds: best first. Raises EmptyResultError without documents, SandboxError if tests are to be recorded and cannot be here.
    """
    if params.exercises.recording is not None:
        check_sandbox()
    quarters = {file_id: 1 + 4 * rank // len(seeds) for rank, file_id in enumerate(seeds)}
    packages = read_packages(shards, seeds)
    function = partial(synthesize_shard, seeds=seeds, quarters=quarters, packages=packages, params=params)
    summaries = run.map_shards(function, shards, {"documents": (output, DOCUMENT_SCHEMA)})
    found = sum(summary["seeds"] for summary in summaries)
    assert found == len(seeds), f"{len(seeds)} seeds are scored, {found} of them are in the train split"
    refused: Counter[str] = sum((Counter(summary["refused"]) for summary in summaries), Counter())
    n_documents = sum(summary["documents"] for summary in summaries)
    if n_documents == 0:
        raise EmptyResultError(
            f"synthesize_documents: no document came of {found} seeds (refused: {dict(refused)}); "
            "raise synthesize_documents.seed_top_fraction, or widen the corpus"
        )
    counts = Counter(quarters.values())
    totals = {name: sum((Counter(summary[name]) for summary in summaries), Counter[str]()) for name in ("tests_from", "by_quarter")}
    return row_accounts(n_documents + refused.total(), n_documents, refused) | {
        "seeds": found,
        "seeds_with_documents": sum(summary["fruitful"] for summary in summaries),
        "seeds_by_language": {LANGUAGE: found},
        # the first of each reason, in the order of the shards
        "refusal_examples": {reason: example for summary in reversed(summaries) for reason, example in summary["examples"].items()},
        "tests_from": dict(totals["tests_from"]),
        "by_seed_quarter": {str(name): {"seeds": counts[name], "documents": totals["by_quarter"][str(name)]} for name in sorted(counts)},
    }


def ask_model(
    params: SynthesizeParams, shards: Sequence[Path], scored: Iterator[dict[str, Any]], store: Path, output: Path
) -> dict[str, Any]:
    """Write documents of a model to `output`; return the metrics. What `store` holds is not asked for again."""
    assert params.generation is not None
    assert params.engine.kind != "extractive"
    train_bytes: Counter[str] = Counter()
    for path in shards:
        for row in read_shard(path, ["language", "split", "n_bytes"]).to_pylist():
            train_bytes[row["language"]] += row["n_bytes"] * (row["split"] == "train")
    seeds = choose_seeds_by_language(scored, params.seed_top_fraction, params.generation.python_fraction, train_bytes)
    opened, model = partial(open_engine, params.engine), model_identity(params.engine)
    return generate_documents(shards, seeds, params.generation, params.engine.kind, model, opened, store, output)


def synthesize_shard(
    files: pa.Table, seeds: dict[str, float], quarters: dict[str, int], packages: Packages, params: SynthesizeParams
) -> ShardResult:
    """Documents of the seeds in one shard of SourceFile rows with `split`."""
    teacher = ExtractiveTeacher(params.exercises, params.sandbox, packages)
    rows: list[dict[str, Any]] = []
    refused: Counter[str] = Counter()
    examples: dict[str, dict[str, str]] = {}
    chosen = [row for row in files.to_pylist() if row["file_id"] in seeds]
    for row in chosen:
        assert row["split"] == "train", f"{row['file_id']}: a seed must be of the train split, not {row['split']}"
        seed = _seed(row, seeds[row["file_id"]], quarters[row["file_id"]])
        results = teacher.documents(seed)
        for refusal in (result for result in results if isinstance(result, Refusal)):
            refused[refusal.reason] += 1
            examples.setdefault(refusal.reason, refusal_example(seed, refusal.detail))
        rows += [result.row(seed, teacher) for result in results if not isinstance(result, Refusal)]
    unique = {row["document_id"]: row for row in rows}
    refused["same_document_twice"] += len(rows) - len(unique)
    table = pa.Table.from_pylist([unique[key] for key in sorted(unique)], DOCUMENT_SCHEMA)
    fruitful = len({row["seed_file_id"] for row in rows})
    summary = {
        "seeds": len(chosen),
        "fruitful": fruitful,
        "documents": len(unique),
        "refused": dict(+refused),
        "examples": examples,
        "tests_from": Counter(row["tests_from"] for row in unique.values()),
        "by_quarter": Counter(str(row["seed_quarter"]) for row in unique.values()),
    }
    return ShardResult({"documents": table}, summary)


def _seed(row: dict[str, Any], score: float, quarter: int) -> Seed:
    return Seed(
        score=score, quarter=quarter, **{name: row[name] for name in ("file_id", "repository", "path", "language", "licence", "content")}
    )

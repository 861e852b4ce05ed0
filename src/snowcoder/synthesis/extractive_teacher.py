"""The extractive teacher: turns each eligible function or class of a seed file into an exercise file, shard by shard.

in: data/split_files, {file_id of a seed: score}   out: DOCUMENT_SCHEMA rows, in the shards of data/split_files, sorted by document_id there

No model: rules, and runs in the sandbox. It adds no knowledge that the seed lacks, so that it tests the recipe's machinery and the
effect of format, not of a stronger model. For documents by a model see model_teacher.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.errors import EmptyResultError
from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.exercise import Exercise, make_exercises
from snowcoder.exercises.package import Package
from snowcoder.pipeline.execution import Run, ShardResult
from snowcoder.sandbox.program import check_sandbox
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import read_shard
from snowcoder.synthesis.documents import DOCUMENT_SCHEMA, Seed, SyntheticDocument, make_seed, refusal_example
from snowcoder.synthesis.seeds import LANGUAGE
from snowcoder.synthesis.synthesis_params import SynthesizeParams

TEACHER = "extractive"
# raised with every change of what an exercise looks like
RULES_VERSION = "extractive-2"
Packages = dict[str, dict[str, str]]


def extract_documents(seed: Seed, package: Package | None, params: SynthesizeParams) -> list[SyntheticDocument | Refusal]:
    """One result per candidate, in the order of the file. package: what may be inlined. Raises SandboxError."""
    results = make_exercises(seed.content, seed.path, params.exercises, package, params.sandbox)
    return [result if isinstance(result, Refusal) else _document(result) for result in results]


def _document(exercise: Exercise) -> SyntheticDocument:
    return SyntheticDocument(
        name=exercise.name,
        content=exercise.document,
        problem=exercise.problem,
        solution=exercise.solution,
        tests=exercise.tests,
        n_tests=exercise.n_tests,
        tests_from="recording" if exercise.recorded else "author",
        finish_reason="stop",
    )


def read_packages(shards: Sequence[Path], seeds: Collection[str]) -> Packages:
    """{repository of a seed: {path: text}} of the Python train files: what a seed may import from its own package. Held in memory."""
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
    assert found == len(seeds), f"{len(seeds)} seeds have scores, but only {found} of them are in the train split"
    refused: Counter[str] = sum((Counter(summary["refused"]) for summary in summaries), Counter())
    n_documents = sum(summary["documents"] for summary in summaries)
    if n_documents == 0:
        raise EmptyResultError(
            f"synthesize_documents: no document came from {found} seeds (refused: {dict(refused)}); "
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


def synthesize_shard(
    files: pa.Table, seeds: dict[str, float], quarters: dict[str, int], packages: Packages, params: SynthesizeParams
) -> ShardResult:
    """Documents of the seeds in one shard of SourceFile rows with `split`."""
    parsed = {repository: Package(texts) for repository, texts in packages.items()}
    rows: list[dict[str, Any]] = []
    refused: Counter[str] = Counter()
    examples: dict[str, dict[str, str]] = {}
    chosen = [row for row in files.to_pylist() if row["file_id"] in seeds]
    for row in chosen:
        seed = make_seed(row, seeds[row["file_id"]], quarters[row["file_id"]])
        results = extract_documents(seed, parsed.get(seed.repository), params)
        for refusal in (result for result in results if isinstance(result, Refusal)):
            refused[refusal.reason] += 1
            examples.setdefault(refusal.reason, refusal_example(seed, refusal.detail))
        rows += [result.row(seed, TEACHER, RULES_VERSION) for result in results if not isinstance(result, Refusal)]
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

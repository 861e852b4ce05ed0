"""Generates documents by asking a model about seeds: one engine for all requests; each response is stored before it is used.

in: data/split_files, {file_id of a seed: score}, an engine
out: DOCUMENT_SCHEMA rows sorted by document_id, and responses/: RESPONSE_SCHEMA rows sorted by request_id, every answer as it came
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.errors import EmptyResultError
from snowcoder.exercises.cutout import Refusal
from snowcoder.inference.engine import Chat, Completion, Engine, Prompt, number_draws
from snowcoder.inference.engines.engine_params import model_identity, open_engine
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
from snowcoder.source_files.records import text_columns
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import read_shard, write_table
from snowcoder.synthesis.answers import read_document
from snowcoder.synthesis.documents import DOCUMENT_SCHEMA, SEED_FIELDS, Seed, make_seed, refusal_example
from snowcoder.synthesis.seed_passages import seed_passage
from snowcoder.synthesis.seeds import choose_seeds_by_language
from snowcoder.synthesis.synthesis_params import GenerationParams, SynthesizeParams
from snowcoder.synthesis.teacher_prompts import teacher_prompt

RESPONSE_SCHEMA = pa.schema(
    text_columns("request_id", "seed_file_id", "model", "prompt_version", "prompt", "sampling", "text", "finish_reason")
    + [(name, pa.int32()) for name in ("draw", "n_tokens", "n_prompt_tokens")]
)


@dataclass(frozen=True)
class TeacherModel:
    """kind: of its engine. identity: its name in `store`, a file of responses kept between runs. open_engine: for the first new request."""

    kind: str
    identity: str
    open_engine: Callable[[], Engine]
    store: Path


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
    teacher = TeacherModel(params.engine.kind, model_identity(params.engine), partial(open_engine, params.engine), store)
    return generate_documents(shards, seeds, params.generation, teacher, output)


def generate_documents(
    shards: Sequence[Path], seeds: dict[str, float], params: GenerationParams, teacher: TeacherModel, output: Path
) -> dict[str, Any]:
    """Write documents and responses to `output`; return the metrics. Stored responses are not asked for again.

    seeds: best first within each language.
    Raises EngineError if some requests get no answer (those that got one are stored), EmptyResultError without documents.
    """
    rows = read_seeds(shards, seeds)
    asked = [(row, prompt) for row in rows for prompt in [seed_prompt(row, params)] * params.samples_per_seed]
    prompts = [prompt for _, prompt in asked]
    draws, sampling = number_draws(prompts), params.sampling()
    with ResponseStore(teacher.store) as responses:
        engine = StoredEngine(teacher.open_engine, responses, teacher.identity, params.prompt)
        answers = dict(engine.complete(prompts, sampling, draws, [row.file_id for row, _ in asked]))
        requests = [engine.request(prompt, sampling, draw) for prompt, draw in zip(prompts, draws, strict=True)]
    kept = {
        request.request_id: _response_row(request.fields() | {"request_id": request.request_id}, row.file_id, answers[index])
        for index, (request, (row, _)) in enumerate(zip(requests, asked, strict=True))
    }
    answered = [(row, prompt, answers[index]) for index, (row, prompt) in enumerate(asked)]
    documents, refused, examples = _documents(answered, teacher.kind, params.prompt)
    if not documents:
        raise EmptyResultError(
            f"synthesize_documents: none of {len(asked)} answers contains a document ({dict(refused)}); read them in {teacher.store} and "
            "choose another prompt, or another model"
        )
    responses_table = pa.Table.from_pylist([kept[key] for key in sorted(kept)], RESPONSE_SCHEMA)
    write_table(output / "responses", [responses_table], RESPONSE_SCHEMA)
    write_table(output, [pa.Table.from_pylist([documents[key] for key in sorted(documents)], DOCUMENT_SCHEMA)], DOCUMENT_SCHEMA)
    return _metrics(rows, documents, refused, list(kept.values())) | {"refusal_examples": examples}


def read_seeds(shards: Sequence[Path], seeds: dict[str, float]) -> list[Seed]:
    """The seeds with their texts, in the order of their file_id. Quarters are counted within each language. Held in memory."""
    found = {
        row["file_id"]: row for path in shards for row in read_shard(path, [*SEED_FIELDS, "split"]).to_pylist() if row["file_id"] in seeds
    }
    assert len(found) == len(seeds), f"{len(seeds)} seeds have scores, but only {len(found)} of them are in data/split_files"
    ranks: Counter[str] = Counter()
    totals = Counter(row["language"] for row in found.values())
    chosen = []
    for file_id, score in seeds.items():
        row = found[file_id]
        quarter = 1 + 4 * ranks[row["language"]] // totals[row["language"]]
        ranks[row["language"]] += 1
        chosen.append(make_seed(row, score, quarter))
    return sorted(chosen, key=lambda seed: seed.file_id)


def seed_prompt(seed: Seed, params: GenerationParams) -> Prompt:
    """What a model is asked for one seed."""
    passage = seed_passage(seed.content, seed.language, params.seed_unit, params.max_seed_bytes, params.seed)
    return teacher_prompt(params.prompt, seed.language, passage)


def _documents(
    answered: Sequence[tuple[Seed, Prompt, Completion]], teacher: str, prompt_version: str
) -> tuple[dict[str, dict[str, Any]], Counter[str], dict[str, dict[str, str]]]:
    """(rows by document_id, refusals by reason, the first example of each reason)."""
    documents: dict[str, dict[str, Any]] = {}
    refused: Counter[str] = Counter()
    examples: dict[str, dict[str, str]] = {}
    for seed, prompt, completion in answered:
        result = read_document(completion, seed.language, isinstance(prompt, Chat))
        if isinstance(result, Refusal):
            refused[result.reason] += 1
            examples.setdefault(result.reason, refusal_example(seed, completion.text))
            continue
        row = result.row(seed, teacher, prompt_version)
        refused["same_document_twice"] += row["document_id"] in documents
        documents[row["document_id"]] = row
    return documents, +refused, examples


def _response_row(request: dict[str, Any], seed_file_id: str, completion: Completion) -> dict[str, Any]:
    texts = {name: json.dumps(request[name], sort_keys=True) for name in ("prompt", "sampling")}
    answer = {name: getattr(completion, name) for name in ("text", "finish_reason", "n_tokens", "n_prompt_tokens")}
    return request | texts | answer | {"seed_file_id": seed_file_id}


def _metrics(
    seeds: Sequence[Seed], documents: dict[str, dict[str, Any]], refused: Counter[str], responses: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    counts = Counter(str(seed.quarter) for seed in seeds)
    by_quarter = Counter(str(row["seed_quarter"]) for row in documents.values())
    return row_accounts(len(documents) + refused.total(), len(documents), refused) | {
        "seeds": len(seeds),
        "seeds_with_documents": len({row["seed_file_id"] for row in documents.values()}),
        "seeds_by_language": dict(sorted(Counter(seed.language for seed in seeds).items())),
        "tests_from": dict(sorted(Counter(row["tests_from"] for row in documents.values()).items())),
        "by_seed_quarter": {name: {"seeds": counts[name], "documents": by_quarter[name]} for name in sorted(counts)},
        "responses": len(responses),
        "finish_reasons": dict(sorted(Counter(row["finish_reason"] for row in responses).items())),
        "tokens_generated": sum(row["n_tokens"] for row in responses),
        "tokens_of_prompts": sum(row["n_prompt_tokens"] or 0 for row in responses),
    }

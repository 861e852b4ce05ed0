"""Evaluates a model on benchmarks outside the graph, with the stages' own functions: `make evaluate`.

in: a model folder or hub id, benchmarks
out: results/benchmarks/<name>.json (of a chat model <name>.chat.json) {model, identity, training_seed, settings, asked: {mode,
     chat_template_sha256, wording}, benchmarks: {benchmark: {problems_sha256, completions, base, plus, passes: {problem: n},
     without_flagged, bits_per_byte: {bits_per_byte, ci95, as_written, bits: {problem: bits}, n_bytes: {problem: n}}, likelihood_choice}},
     batching};
     one run in MLflow per model
     <work>/evaluate/<name>/<benchmark>.jsonl: completions with their grades (fields of COMPLETION_SCHEMA and GRADE_SCHEMA)

A run that was stopped resumes from two journals in <work>/evaluate/<name>/: responses.jsonl, which later runs reuse, and verdicts.jsonl.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.evaluation.benchmark_prompts import Asking, Mode
from snowcoder.evaluation.evaluate_params import EvaluationSettings
from snowcoder.evaluation.generating.batch_invariance import count_changed_completions
from snowcoder.evaluation.generating.completions import complete_problems, summarise_completions
from snowcoder.evaluation.generating.decoding_engine import open_decoding_engine
from snowcoder.evaluation.grading.grade_completions import grade_completions
from snowcoder.evaluation.grading.grade_samples import PROGRAM_LIMITS, account_texts, summarise_verdicts, write_lines
from snowcoder.evaluation.grading.remarks import remarks
from snowcoder.evaluation.grading.without_flagged import is_screened, rates_without_flagged, read_flagged
from snowcoder.evaluation.measuring.bits_per_byte_sets import describe_scores, score_sets
from snowcoder.evaluation.measuring.likelihood_choice import BATCH_TOKENS, choose_by_likelihood
from snowcoder.evaluation.measuring.text_sets import count_as_written, reference_solutions
from snowcoder.inference.engine import Engine, Sampling
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
from snowcoder.inference.local.model_folder import LoadedModel, ModelFolder, find_folder, open_folder
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.stage import work_dir
from snowcoder.seeding import derive_seed
from snowcoder.storage.metrics import write_metrics
from snowcoder.tracking.record import track

RESULTS = Path("results/benchmarks")
MODEL_FILES = ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model")  # what makes a model's completions what they are
Rows = list[dict[str, Any]]


def evaluate_model(
    name: str,
    model: str,
    benchmarks: Sequence[str],
    settings: EvaluationSettings,
    accept_changed: Sequence[str] = (),
    training_seed: int | None = None,
    check_batching: bool = False,
) -> Path:
    """Generate, execute and measure on each benchmark; returns the path of the JSON. Raises SnowcoderError for a model or benchmark that
    is not there, or a mode that the model does not have.

    training_seed: of a model that was trained several times; its JSON is <name>.seed<n>.json, and the page sums the seeds of a name up.
    check_batching: also count the completions that the batch size changes.
    """
    stem = f"{name}{settings.suffix()}" + ("" if training_seed is None else f".seed{training_seed}")
    path, kept = RESULTS / f"{stem}.json", work_dir() / "evaluate" / stem
    folder = open_folder(find_folder(model), settings.document_start)
    problems_of = {name: load_benchmark(name, accept_changed=name in accept_changed) for name in benchmarks}
    asking = choose_asking(model, folder, settings, problems_of)
    window = folder.window(settings.window_tokens, "window_tokens")
    measured = folder.window(settings.likelihood_window_tokens or settings.window_tokens, "likelihood_window_tokens")
    cut = {name: _count_cut(folder, problems, settings, asking, window) for name, problems in problems_of.items()}
    identity = _identity(folder.folder, settings)
    head = {"model": model, "identity": identity, "training_seed": training_seed, "settings": settings.described()}
    head |= {"asked": asking.described()}
    _say_what_is_replaced(path, head)
    load = cache(partial(folder.load, settings.precision, settings.cpu_threads))
    found: dict[str, Any] = {}
    with track("evaluate", stem, identity[:16], [folder.folder]) as record:
        with ResponseStore(kept / "responses.jsonl") as store:
            open_engine = partial(open_decoding_engine, settings, folder.folder, settings.document_start, load)
            completions = _generate(StoredEngine(open_engine, store, identity, asking.mode), problems_of, settings, asking)
        for benchmark, problems in problems_of.items():
            say(f"{stem}: {benchmark}: {len(problems)} problems")
            rows = completions[benchmark]
            grades = grade_completions(rows, problems, PROGRAM_LIMITS, settings.mode, kept / "verdicts.jsonl")
            write_lines(kept / f"{benchmark}.jsonl", [row | grade for row, grade in zip(rows, grades, strict=True)])
            found[benchmark] = _describe(problems, rows, grades, cut[benchmark], asking.mode)
            found[benchmark] |= _measure(load(), problems, settings.seed, measured)
            write_metrics(path, _merged(path, head, found))
            record.log({f"eval/{benchmark}/{key}_pass_at_1": found[benchmark][key]["pass@1"] for key in ("base", "plus")})
            record.log({f"eval/{benchmark}/bits_per_byte": found[benchmark]["bits_per_byte"]["bits_per_byte"]})
    (kept / "verdicts.jsonl").unlink(missing_ok=True)
    if check_batching:
        write_metrics(path, _merged(path, head, found) | {"batching": count_changed_completions(model, folder, settings, asking)})
    return path


def choose_asking(model: str, folder: ModelFolder, settings: EvaluationSettings, problems_of: Mapping[str, Sequence[Problem]]) -> Asking:
    """How the model is asked; every prompt is made once, so that what cannot be asked is refused before anything runs.

    Raises CheckpointError for mode chat without a chat template, ParameterError for a split that a benchmark does not have.
    """
    if settings.mode == "chat" and folder.template is None:
        raise CheckpointError(
            f"{folder.folder}: mode chat: the model has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja); "
            "ask it with mode base, or put the template that it was trained with into its folder"
        )
    if settings.mode == "base" and folder.template is not None:
        say(
            f"{model}: has a chat template but is prompted without it (mode base); instruction-tuned models then score too low: use "
            "--mode chat"
        )
    asking = Asking(settings.mode, settings.strip_prompt, settings.split, folder.template)
    for problems in problems_of.values():
        for problem in problems:
            asking.prompt(problem)
    return asking


def _count_cut(folder: ModelFolder, problems: Sequence[Problem], settings: EvaluationSettings, asking: Asking, window: int) -> int:
    """How many prompts lose their head to leave room for the completion. Raises ParameterError for a chat prompt."""
    cut = folder.encoder.count_cut([asking.prompt(problem) for problem in problems], window - settings.max_new_tokens)
    if cut and settings.mode == "chat":
        raise ParameterError(
            f"max_new_tokens: found {settings.max_new_tokens}, which leaves no room for {cut} of {len(problems)} chat prompts; "
            "lower it, or raise window_tokens: a chat prompt is not cut"
        )
    if cut:
        of = f"{folder.folder}: {problems[0].benchmark}: {cut} of {len(problems)} prompts"
        say(f"{of} leave no room for {settings.max_new_tokens} new tokens; their head is cut")
    return cut


def _say_what_is_replaced(path: Path, head: dict[str, Any]) -> None:
    """Report that a result of the same name, but of other settings or weights, is replaced."""
    before = json.loads(path.read_text()) if path.exists() else head
    old, new = ({**one.get("settings", {}), **one.get("asked", {})} for one in (before, head))
    changed = [f"{key} {old.get(key)} -> {new.get(key)}" for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if before["identity"] != head["identity"]:
        say(f"{path}: its results are replaced, as they have other {', '.join(changed) or 'weights'}; give --name to keep both")


def _generate(
    engine: Engine, problems_of: Mapping[str, Sequence[Problem]], settings: EvaluationSettings, asking: Asking
) -> dict[str, Rows]:
    """{benchmark: completions}. The engine is closed: vLLM takes nearly all of an accelerator's memory, which likelihoods need too."""
    completions = {}
    with closing(engine):
        for benchmark, problems in problems_of.items():
            stop = asking.stop(problems[0].benchmark)
            sampling = Sampling(settings.max_new_tokens, stop, settings.temperature, seed=settings.seed)
            completions[benchmark] = complete_problems(engine, problems, sampling, asking.prompt, settings.samples)
    return completions


def _describe(problems: Sequence[Problem], rows: Rows, grades: Rows, cut: int, mode: Mode) -> dict[str, Any]:
    benchmark = problems[0].benchmark
    verdicts = [{"task_id": grade["problem_id"], "base": grade["base"], "plus": grade["passed"]} for grade in grades]
    texts = [(row["problem_id"], row["prompt"] if mode == "base" else "", row["completion"]) for row in rows]
    summary = summarise_verdicts(benchmark, verdicts, []) | account_texts(texts)
    for line in remarks(benchmark, summary, "raise max_new_tokens if most are cut there; responses.jsonl has the texts"):
        say(line)
    passed = [(grade["problem_id"], grade["passed"]) for grade in grades]
    return {
        "problems_sha256": hashlib.sha256(json.dumps([asdict(problem) for problem in problems]).encode()).hexdigest(),
        "completions": summarise_completions(rows)[benchmark] | {"cut_prompts": cut},
        "base": summary["base"],
        "plus": summary["plus"],
        "passes": {problem.problem_id: sum(ok for other, ok in passed if other == problem.problem_id) for problem in problems},
        "without_flagged": rates_without_flagged(passed, read_flagged(benchmark), is_screened(benchmark)),
    }


def _measure(loaded: LoadedModel, problems: Sequence[Problem], seed: int, window: int) -> dict[str, Any]:
    sets = reference_solutions(problems)
    [texts], [scores] = sets.values(), score_sets(loaded, sets, BATCH_TOKENS, window, worker_count()).values()
    described = describe_scores(texts, scores, derive_seed(seed, "bits"))
    return {
        "bits_per_byte": {
            "bits_per_byte": described["bits_per_byte"],
            "ci95": described["ci95"],
            "as_written": count_as_written(texts),
            "bits": {text.cluster: float(bits) for text, bits in zip(texts, scores.bits, strict=True)},
            "n_bytes": {text.cluster: int(n) for text, n in zip(texts, scores.n_bytes, strict=True)},
        },
        "likelihood_choice": choose_by_likelihood(loaded, texts, seed, window, worker_count()),
    }


def _identity(folder: Path, settings: EvaluationSettings) -> str:
    weights = sorted(path for pattern in MODEL_FILES for path in folder.glob(pattern))
    digest = hashlib.sha256(json.dumps(settings.described(), sort_keys=True).encode())
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _merged(path: Path, head: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Joined with what was measured before of the same model, weights and settings."""
    before = json.loads(path.read_text()) if path.exists() else {}
    kept = before if {key: before.get(key) for key in head} == head else {}
    batching = {"batching": kept["batching"]} if "batching" in kept else {}
    return head | {"benchmarks": kept.get("benchmarks", {}) | found} | batching

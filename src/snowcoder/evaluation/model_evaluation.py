"""Evaluates a model on benchmarks outside the pipeline: `make evaluate`. Stopped and started again, it goes on where it was.

in: a model folder or hub id, benchmarks
out: results/benchmarks/<name>.json (of a chat model <name>.chat.json) {model, identity, training_seed, settings, asked: {mode,
     chat_template_sha256, wording}, benchmarks: {benchmark: {problems_sha256, completions, base, plus, passes: {problem: n},
     without_flagged, bits_per_byte: {bits_per_byte, ci95, bits: {problem: bits}, n_bytes: {problem: n}}, likelihood_choice}}, batching};
     one run in MLflow per model
     Kept in <work>/evaluate/<name>/<benchmark>/: completions.jsonl (rows of COMPLETION_SCHEMA, with the key of the settings that made
     them), samples.jsonl, verdicts.jsonl
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.evaluation.benchmark_prompts import Asking, solution_of
from snowcoder.evaluation.evaluate_params import EvaluationSettings
from snowcoder.evaluation.generating.batch_invariance import count_changed_completions
from snowcoder.evaluation.generating.completions import complete_problems, summarise_completions
from snowcoder.evaluation.grading.sample_files import grade_file
from snowcoder.evaluation.grading.without_flagged import is_screened, rates_without_flagged, read_flagged
from snowcoder.evaluation.measuring.likelihood_choice import choose_by_likelihood
from snowcoder.evaluation.measuring.text_sets import reference_solutions
from snowcoder.inference.engine import Engine, Sampling
from snowcoder.inference.engines.any_model import LoadedModel, find_folder, load_any_model, load_any_vllm
from snowcoder.inference.local.border_tokens import open_tokenizer
from snowcoder.inference.local.chat_template import read_chat_template
from snowcoder.inference.local.model_folder import choose_window
from snowcoder.likelihood.bits_per_byte import score_texts
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.stage import work_dir
from snowcoder.seeding import derive_seed
from snowcoder.statistics.intervals import bootstrap_ratio_interval
from snowcoder.storage.metrics import write_metrics
from snowcoder.tracking.record import track

RESULTS = Path("results/benchmarks")
MODEL_FILES = ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model")  # what makes a model's completions what they are


def evaluate_model(
    name: str,
    model: str,
    benchmarks: Sequence[str],
    settings: EvaluationSettings,
    accept_changed: Sequence[str] = (),
    training_seed: int | None = None,
    check_batching: bool = False,
) -> Path:
    """Evaluate on each benchmark; returns the path of the JSON. Raises SnowcoderError for a model or benchmark that is not there, or a
    mode that the model does not have.

    training_seed: of a model that was trained several times; its JSON is <name>.seed<n>.json, and the page sums the seeds of a name up.
    check_batching: also count the completions that the batch size changes.
    """
    stem = f"{name}{settings.suffix()}" + ("" if training_seed is None else f".seed{training_seed}")
    path, folder = RESULTS / f"{stem}.json", find_folder(model)
    problems_of = {name: load_benchmark(name, accept_changed=name in accept_changed) for name in benchmarks}
    asking = choose_asking(model, folder, settings, problems_of)
    identity = _identity(folder, settings)
    head = {"model": model, "identity": identity, "training_seed": training_seed, "settings": settings.described()}
    head |= {"asked": asking.described()}
    _tell_what_is_replaced(path, head)
    folders = {name: work_dir() / "evaluate" / stem / name for name in benchmarks}
    if settings.engine == "vllm":
        _complete_by_vllm(model, problems_of, settings, asking, identity, folders)
    loaded = load_any_model(model, settings.precision, settings.cpu_threads, settings.document_start)
    found: dict[str, Any] = {}
    with track("evaluate", stem, identity[:16]) as record:
        for benchmark, problems in problems_of.items():
            say(f"{stem}: {benchmark}: {len(problems)} problems")
            found[benchmark] = _evaluate(loaded, problems, settings, asking, identity, folders[benchmark])
            write_metrics(path, _merged(path, head, found))
            record.log({f"eval/{benchmark}/{key}_pass_at_1": found[benchmark][key]["pass@1"] for key in ("base", "plus")})
            record.log({f"eval/{benchmark}/bits_per_byte": found[benchmark]["bits_per_byte"]["bits_per_byte"]})
    if check_batching:
        how = (settings.batch_size, settings.window_tokens, settings.cpu_threads, settings.document_start, asking)
        write_metrics(path, _merged(path, head, found) | {"batching": count_changed_completions(model, *how)})
    return path


def choose_asking(model: str, folder: Path, settings: EvaluationSettings, problems_of: Mapping[str, Sequence[Problem]]) -> Asking:
    """How the model is asked; every prompt is made once, so that what cannot be asked is refused before anything runs.

    Raises CheckpointError for mode chat without a chat template, ParameterError for a split that a benchmark does not have.
    """
    template = read_chat_template(open_tokenizer(folder), folder)
    if settings.mode == "chat" and template is None:
        raise CheckpointError(
            f"{folder}: mode chat: the model has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja); ask it "
            "with mode base, or put the template that it was trained with into its folder"
        )
    if settings.mode == "base" and template is not None:
        say(
            f"{model}: has a chat template and is asked without it (mode base); an instruction-tuned model scores too low so: ask it with "
            "--mode chat"
        )
    asking = Asking(settings.mode, settings.strip_prompt, settings.split, template)
    for problems in problems_of.values():
        for problem in problems:
            asking.prompt(problem)
    return asking


def _tell_what_is_replaced(path: Path, head: dict[str, Any]) -> None:
    """A result of the same name, but of other settings or weights, does not stay."""
    before = json.loads(path.read_text()) if path.exists() else head
    old, new = ({**one.get("settings", {}), **one.get("asked", {})} for one in (before, head))
    changed = [f"{key} {old.get(key)} -> {new.get(key)}" for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if before["identity"] != head["identity"]:
        say(f"{path}: its results are replaced: they are of other {', '.join(changed) or 'weights'}; give --name to keep both")


def _evaluate(
    loaded: LoadedModel, problems: Sequence[Problem], settings: EvaluationSettings, asking: Asking, identity: str, folder: Path
) -> dict[str, Any]:
    engine = loaded.engine(settings.batch_size, settings.window_tokens, worker_count())
    cut = engine.count_cut([asking.prompt(problem) for problem in problems], settings.max_new_tokens)
    if cut and settings.mode == "chat":
        raise ParameterError(
            f"max_new_tokens: found {settings.max_new_tokens}, which leaves no room for {cut} of {len(problems)} chat prompts; "
            "lower it, or raise window_tokens: a chat prompt is not cut"
        )
    if cut:
        say(f"{folder}: {cut} of {len(problems)} prompts leave no room for {settings.max_new_tokens} new tokens; their head is cut")
    rows = _complete(engine, problems, settings, asking, identity, folder / "completions.jsonl")
    known, name = {problem.problem_id: problem for problem in problems}, problems[0].benchmark
    lines = []
    for row in rows:
        solution = solution_of(known[row["problem_id"]], row["prompt"], row["completion"], settings.mode)
        lines.append(json.dumps({"task_id": row["problem_id"], "solution": solution}) + "\n")
    (folder / "samples.jsonl").write_text("".join(lines))
    summary = grade_file(problems[0].benchmark, problems, folder / "samples.jsonl", folder / "verdicts.jsonl")
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    passed = [(verdict["task_id"], verdict["base"] and verdict["plus"]) for verdict in verdicts]
    return {
        "problems_sha256": hashlib.sha256(json.dumps([asdict(problem) for problem in problems]).encode()).hexdigest(),
        "completions": summarise_completions(rows)[problems[0].benchmark] | {"cut_prompts": cut},
        "base": summary["base"],
        "plus": summary["plus"],
        "passes": {problem_id: sum(ok for other, ok in passed if other == problem_id) for problem_id in known},
        "without_flagged": rates_without_flagged(passed, read_flagged(name), is_screened(name)),
        **_likelihoods(loaded, problems, settings),
    }


def _complete_by_vllm(
    model: str,
    problems_of: Mapping[str, Sequence[Problem]],
    settings: EvaluationSettings,
    asking: Asking,
    identity: str,
    folders: Mapping[str, Path],
) -> None:
    """Leaves the completions where `_complete` finds them. vLLM takes nearly all of an accelerator's memory: it is closed before
    likelihoods are measured.
    """
    paths = {name: folder / "completions.jsonl" for name, folder in folders.items()}
    if all(len(_done(paths[name], identity)) == settings.samples * len(problems) for name, problems in problems_of.items()):
        return
    engine = load_any_vllm(model, settings.precision, settings.window_tokens, settings.document_start)
    try:
        for name, problems in problems_of.items():
            _complete(engine, problems, settings, asking, identity, paths[name])
    finally:
        engine.close()


def _complete(
    engine: Engine, problems: Sequence[Problem], settings: EvaluationSettings, asking: Asking, identity: str, path: Path
) -> list[dict[str, Any]]:
    """The completions of all problems; those that a stopped run has left are taken."""
    done = _done(path, identity)
    finished = {row["problem_id"] for row in done}
    waiting = [problem for problem in problems if problem.problem_id not in finished]
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(done) < len(_read_rows(path)):
        path.unlink()  # of other settings, or another model
        done, waiting = [], list(problems)
    sampling = Sampling(settings.max_new_tokens, asking.stop(problems[0].benchmark), settings.temperature, seed=settings.seed)
    at_a_time = max(1, 2 * settings.batch_size * worker_count() // settings.samples)
    for first in range(0, len(waiting), at_a_time):
        part = waiting[first : first + at_a_time]
        rows = complete_problems(engine, part, sampling, asking.prompt, settings.samples)
        with path.open("a") as file:
            file.write("\n" + "".join(json.dumps({"key": identity} | row) + "\n" for row in rows))
        done += rows
        say(f"{path}: {len(problems) - len(waiting) + first + len(part)} of {len(problems)} problems completed")
    order = {problem.problem_id: place for place, problem in enumerate(problems)}
    return sorted(done, key=lambda row: (order[row["problem_id"]], row["sample"]))


def _likelihoods(loaded: LoadedModel, problems: Sequence[Problem], settings: EvaluationSettings) -> dict[str, Any]:
    pairs = reference_solutions(problems)[problems[0].benchmark]
    window = choose_window(loaded.model, settings.window_tokens, "window_tokens")
    start_id = loaded.start_ids[0] if loaded.start_ids else loaded.end_ids[0]
    scores = score_texts(loaded.model, loaded.tokenizer, pairs, 2048, window, worker_count(), start_id)
    return {
        "bits_per_byte": {
            "bits_per_byte": scores.bits_per_byte,
            "ci95": bootstrap_ratio_interval(scores.bits, scores.n_bytes, derive_seed(settings.seed, "bits")),
            "bits": {problem.problem_id: float(bits) for problem, bits in zip(problems, scores.bits, strict=True)},
            "n_bytes": {problem.problem_id: int(n) for problem, n in zip(problems, scores.n_bytes, strict=True)},
        },
        "likelihood_choice": choose_by_likelihood(
            loaded.model, loaded.tokenizer, problems, settings.seed, window, worker_count(), start_id
        ),
    }


def _done(path: Path, identity: str) -> list[dict[str, Any]]:
    return [row for row in _read_rows(path) if row["key"] == identity]


def _read_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue  # the last line of a run that was killed
    return rows


def _identity(folder: Path, settings: EvaluationSettings) -> str:
    weights = sorted(path for pattern in MODEL_FILES for path in folder.glob(pattern))
    digest = hashlib.sha256(json.dumps(settings.described(), sort_keys=True).encode())
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _merged(path: Path, head: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """With what was measured before of the same model, weights and settings."""
    before = json.loads(path.read_text()) if path.exists() else {}
    kept = before if {key: before.get(key) for key in head} == head else {}
    batching = {"batching": kept["batching"]} if "batching" in kept else {}
    return head | {"benchmarks": kept.get("benchmarks", {}) | found} | batching

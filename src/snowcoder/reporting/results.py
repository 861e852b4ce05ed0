"""Reads the stages' metrics: every file by its path, for the arms that params.yaml names.

`Results` holds the metrics as the stages wrote them; `Metrics` looks values up and names file and key where one is missing.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from snowcoder.errors import SnowcoderError
from snowcoder.experiment.analysis import Analysis, analyse
from snowcoder.experiment.branch_table import BRANCH_TABLE, read_branches
from snowcoder.pipeline.stage import metrics_path, output_path
from snowcoder.reporting.report_params import ReportParams, ladder
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import iterate_rows
from snowcoder.words import INITIAL

# metrics/<stage>.json
STAGES = (
    "fetch_corpus",
    "filter_files",
    "deduplicate_files",
    "decontaminate_files",
    "split_files",
    "fetch_positives",
    "fetch_unseen",
    "train_tokenizer",
    "tokenize_files",
    "label_files",
    "compare_annotators",
    "synthesize_documents",
    "accept_documents",
    "initialize_model",
)
ACCEPTED = Path("data/accept_documents")
TEXT_BITS = Path("data/measure_bits_per_byte")
FLOORS = Path("data/measure_floors")
TRIGRAM, TRIGRAM_ORDER = "trigram", 3
SAMPLE_COLUMNS = ("file_id", "repository", "language", "name", "n_tests", "tests_from", "seed_score", "seed_containment", "content")
TEXT_COLUMNS = ("set", "cluster", "bits", "n_bytes")
SHOWN_DOCUMENTS = 10  # the first: ids are hashes, so that these are as good a sample as any
Curve = list[dict[str, float]]


@dataclass(frozen=True)
class TextBits:
    """Of the texts of one set, in their order: bits of a model, bytes, and the repository or problem that each belongs to."""

    bits: list[float]
    n_bytes: list[int]
    clusters: list[str]


@dataclass(frozen=True)
class Metrics:
    """One metrics file. Looking up a key that is not there raises SnowcoderError."""

    path: Path
    values: dict[str, Any]

    def __call__(self, *keys: str) -> Any:
        """The value at a nested key."""
        value: Any = self.values
        for depth, key in enumerate(keys):
            if not isinstance(value, dict) or key not in value:
                found = ", ".join(sorted(value)) if isinstance(value, dict) else repr(value)
                field = ".".join(keys[: depth + 1])
                raise SnowcoderError(f"{self.path}: {field}: missing (found: {found}); run `dvc repro` of the stage that writes it")
            value = value[key]
        return value


@dataclass(frozen=True)
class Scores:
    """What an experiment is judged by: arm -> metrics of that arm's stage. bits includes `initial`.

    floors: of every variant and n-gram order, bits per byte on every set.
    """

    params: ReportParams
    annotators: dict[str, Metrics]
    scores: dict[str, Metrics]
    bits: dict[str, Metrics]
    floors: Metrics


@dataclass(frozen=True)
class Results(Scores):
    """Everything the report is made of.

    stages: stage -> metrics; the other mappings: arm -> metrics of that arm's stage.
    accepted_samples: rows of accepted documents with SAMPLE_COLUMNS; rejected: reason -> the first rejected row of it.
    roc: recipe -> rows fpr, tpr; precision_recall: recipe -> rows recall, precision.
    curves: variant -> rows step, tokens, learning_rate, train_loss.
    text_bits: variant, or `initial` -> set -> its texts' bits; trigram_bits: variant -> set -> those of the trigram of its tokens.
    """

    stages: dict[str, Metrics]
    scored: dict[str, Metrics]
    selections: dict[str, Metrics]
    packed: dict[str, Metrics]
    trained: dict[str, Metrics]
    accepted_samples: list[dict[str, Any]]
    rejected: dict[str, dict[str, Any]]
    roc: dict[str, Curve]
    precision_recall: dict[str, Curve]
    curves: dict[str, Curve]
    text_bits: dict[str, dict[str, TextBits]]
    trigram_bits: dict[str, dict[str, TextBits]]
    comparison: Analysis


def input_paths(params: ReportParams) -> list[Path]:
    """Every file that the report reads."""
    variants, measured = list(params.variants), [INITIAL, *params.variants]
    arms = [(stage, variants) for stage in ("pack_tokens", "pretrain", "execute_completions")]
    arms += [("measure_bits_per_byte", measured), ("train_annotator", params.recipes), ("score_files", params.recipes)]
    arms += [("select_files", params.rules)]
    paths = [metrics_path(stage) for stage in STAGES] + [metrics_path(stage, arm) for stage, names in arms for arm in names]
    paths += [output_path("train_annotator", recipe) / name for recipe in params.recipes for name in ("roc.csv", "precision_recall.csv")]
    paths += [output_path("pretrain", variant) / "loss_curve.csv" for variant in variants] + [TEXT_BITS / name for name in measured]
    return [*paths, metrics_path("measure_floors"), FLOORS, ACCEPTED, BRANCH_TABLE]


def read_results(params: ReportParams, root: Path = Path()) -> Results:
    """Read all of input_paths(params) under `root`. Raises SnowcoderError naming the file that is missing or broken."""
    variants = list(params.variants)
    return Results(
        **vars(read_scores(params, root)),
        stages={stage: _read(root, metrics_path(stage)) for stage in STAGES},
        scored=_read_arms(root, "score_files", params.recipes),
        selections=_read_arms(root, "select_files", params.rules),
        packed=_read_arms(root, "pack_tokens", variants),
        trained=_read_arms(root, "pretrain", variants),
        accepted_samples=list(islice(iterate_rows(root / ACCEPTED, SAMPLE_COLUMNS), SHOWN_DOCUMENTS)),
        rejected=_read_rejected(root / ACCEPTED / "rejected"),
        roc=_read_curves(root / "models/train_annotator", params.recipes, "roc.csv", ("fpr", "tpr")),
        precision_recall=_read_curves(root / "models/train_annotator", params.recipes, "precision_recall.csv", ("recall", "precision")),
        curves=_read_curves(root / "models/pretrain", variants, "loss_curve.csv", ("tokens", "train_loss")),
        text_bits={name: _text_bits(iterate_rows(root / TEXT_BITS / name, TEXT_COLUMNS)) for name in [INITIAL, *variants]},
        trigram_bits=_read_trigram_bits(root / FLOORS, variants),
        comparison=analyse(read_branches(root / BRANCH_TABLE), params.comparison),
    )


def read_scores(params: ReportParams, root: Path = Path()) -> Scores:
    """Read what the headline metrics need: files of metrics/ alone, which are in Git. Raises as read_results."""
    variants = list(params.variants)
    return Scores(
        params=params,
        annotators=_read_arms(root, "train_annotator", params.recipes),
        scores=_read_arms(root, "execute_completions", variants),
        bits=_read_arms(root, "measure_bits_per_byte", [INITIAL, *variants]),
        floors=_read(root, metrics_path("measure_floors")),
    )


def headline_metrics(results: Scores) -> dict[str, float]:
    """The numbers of the experiment's summary run: `<variant>/<set>/<measure>`, `annotator/<recipe>/roc_auc`."""
    named: dict[str, float] = {}
    rungs = ladder(results.params)
    # MLflow's page of comparison opens with the first: the recipe's last model
    for variant in sorted(results.bits, key=lambda name: -rungs.index(name) if name in rungs else 1):
        named |= {f"{variant}/{name}/bits_per_byte": results.bits[variant](name, "bits_per_byte") for name in set_names(results)}
    for variant, scores in results.scores.items():
        named |= {f"{variant}/{name}/trigram_bits_per_byte": results.floors(variant, TRIGRAM, name) for name in set_names(results)}
        named |= {f"{variant}/{name}/pass_at_1": scores(name, "pass@1") for name in benchmark_names(results)}
    for recipe, annotator in results.annotators.items():
        named[f"annotator/{recipe}/roc_auc"] = annotator("roc_auc")
    return named


def teacher_name(results: Results) -> str:
    """Who wrote the synthetic documents."""
    return str(results.stages["synthesize_documents"].values.get("teacher", "not recorded"))


def set_names(results: Scores) -> list[str]:
    """The texts whose bits per byte were measured; first the one that choices are made on, benchmarks last."""
    measured = results.bits[INITIAL].values
    names = sorted(name for name, value in measured.items() if isinstance(value, dict) and "bits_per_byte" in value)
    return sorted(names, key=lambda name: {"validation": 0, "held_out": 1, "unseen": 2}.get(name, 3))


def benchmark_names(results: Scores) -> list[str]:
    """The benchmarks that were run; every model has the same."""
    first = next(iter(results.scores.values())).values
    return sorted(name for name, value in first.items() if isinstance(value, dict) and "pass@1" in value)


def _read(root: Path, path: Path) -> Metrics:
    return Metrics(path, read_metrics(root / path))


def _read_arms(root: Path, stage: str, names: list[str]) -> dict[str, Metrics]:
    return {name: _read(root, metrics_path(stage, name)) for name in names}


def _read_trigram_bits(folder: Path, variants: list[str]) -> dict[str, dict[str, TextBits]]:
    rows = [row for row in iterate_rows(folder, ("variant", "order", *TEXT_COLUMNS)) if row["order"] == TRIGRAM_ORDER]
    return {variant: _text_bits(row for row in rows if row["variant"] == variant) for variant in variants}


def _text_bits(rows: Iterable[dict[str, Any]]) -> dict[str, TextBits]:
    sets: dict[str, TextBits] = {}
    for row in rows:
        texts = sets.setdefault(row["set"], TextBits([], [], []))
        texts.bits.append(row["bits"])
        texts.n_bytes.append(row["n_bytes"])
        texts.clusters.append(row["cluster"])
    return sets


def _read_rejected(folder: Path) -> dict[str, dict[str, Any]]:
    first: dict[str, dict[str, Any]] = {}
    for row in iterate_rows(folder, ("repository", "name", "reason", "detail", "content")):
        first.setdefault(row["reason"], row)
    return first


def _read_curves(folder: Path, names: list[str], file_name: str, needed: tuple[str, ...]) -> dict[str, Curve]:
    return {name: _read_curve(folder / name / file_name, needed) for name in names}


def _read_curve(path: Path, needed: tuple[str, ...]) -> Curve:
    try:
        with path.open(newline="") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError) as error:
        raise SnowcoderError(f"{path}: cannot be read as a curve ({error}); run `dvc repro`") from error
    if not rows or not set(needed) <= rows[0].keys():
        found = ", ".join(rows[0]) if rows else "no row"
        raise SnowcoderError(f"{path}: expected rows with the columns {', '.join(needed)}; found {found}; run `dvc repro`")
    return rows

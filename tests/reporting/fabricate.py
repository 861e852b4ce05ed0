"""Writes metrics in the stages' formats, with made-up numbers of plausible size."""

import csv
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.experiment.branch_rows import BRANCH_SCHEMA
from snowcoder.experiment.branches import PARENT, plan_branches
from snowcoder.reporting.report_params import ReportParams
from snowcoder.storage.metrics import row_accounts, write_metrics
from snowcoder.storage.shards import write_table
from tests.experiment.made_up_branches import branches_params, branches_values, noisy, rows_of

COMPARISON: dict[str, Any] = {"endpoint": ["humaneval"], "draws": 3, "sensitivity_draws": 2}
PARAMS = ReportParams(
    variants={
        "general": "initial",
        "continued": "general",
        "continued_random": "general",
        "enhanced": "continued",
        "enhanced_selected": "continued",
    },
    controls=[("continued", "continued_random"), ("enhanced", "enhanced_selected")],
    recipes=["EDU", "INS", "HQ", "HQINS"],
    rules=["selected", "random"],
    comparison=branches_params(**COMPARISON),
)
ARMS: dict[str, Any] = {
    "pretrain": {
        "shared": {},
        "variants": {
            name: {
                "parent": "models/initialize_model" if start == "initial" else f"models/pretrain/{start}",
                "control_of": {control: arm for arm, control in PARAMS.controls}.get(name),
            }
            for name, start in PARAMS.variants.items()
        },
    },
    "train_annotator": {"shared": {}, "recipes": {recipe: {} for recipe in PARAMS.recipes}},
    "select_files": {"shared": {"repeats": 2}, "rules": {rule: {} for rule in PARAMS.rules}},
    "train_branches": branches_values(**COMPARISON),
}  # what params.yaml says of the same
LANGUAGES = {"python": 0.62, "javascript": 0.14, "c": 0.06, "typescript": 0.05, "cpp": 0.04, "css": 0.04, "html": 0.03, "shell": 0.02}
BITS = {"general": 1.92, "continued": 1.71, "continued_random": 1.78, "enhanced": 1.62, "enhanced_selected": 1.69, "initial": 4.21}
TOKENS = {"general": 6_000_000, "continued": 1_500_000, "continued_random": 1_500_000, "enhanced": 400_000, "enhanced_selected": 400_000}
SET_SIZES = {"validation": 6, "held_out": 6, "humaneval": 8}
SETS = {"validation": 1.0, "held_out": 1.12, "humaneval": 0.86}  # bits per byte on a set, of those on validation

MIX = {
    "c": {"source": "files", "planned": 0.5, "reached": 0.52, "unique_tokens": 40_000, "passes": 5.2},
    "python": {"source": "documents", "planned": 0.5, "reached": 0.48, "unique_tokens": 192_000, "passes": 1.0},
}
DEDUPLICATION = {
    "lsh": {"bands": 25, "rows_per_band": 10, "recall_at_threshold": 0.51},
    "files_nominated": 1900,
    "pairs_verified": 2400,
    "pairs_matched": 1500,
    "files_not_compared_with_all": 0,
    "clusters_by_size": {"2": 300, "3-4": 90, "5-9": 40, "10-99": 9, "100-999": 1, "1000+": 0},
    "largest_cluster": {"files_dropped": 120, "kept_file_id": "0a" * 16},
    "wipe_out": {"languages": [], "repositories": [{"name": "owner/copies", "rows_in": 120, "rows_out": 4}], "n_repositories": 1},
}


def fabricate(root: Path, bits: dict[str, float] | None = None, solved: int = 0, trigram: float = 2.2) -> None:
    """Every file of input_paths(PARAMS) under `root`.

    bits: model -> bits per byte on validation; solved: by `enhanced`; trigram: bits per byte of every model's, on validation.
    """
    _data_metrics(root)
    _branches(root)
    _floors(root, {"unigram": 2.9, "bigram": 2.4, "trigram": trigram})
    for variant, value in (BITS | (bits or {})).items():
        _bits(root, variant, value)
    for index, (variant, tokens) in enumerate(TOKENS.items()):
        passed = solved if variant == "enhanced" else 0
        low, high = (0.0, 0.023) if not passed else (passed / 164 - 0.01, passed / 164 + 0.03)
        scores = {"passed": passed, "total": 164, "pass@1": passed / 164, "ci95": [max(0.0, low), high]}
        _write(root, f"execute_completions/{variant}", {"humaneval": scores})
        share = 0.4 if variant == "enhanced" else 0.0
        mix = {"enhanced": MIX, "enhanced_selected": {name: row | {"source": "files"} for name, row in MIX.items()}}.get(variant, {})
        shares = {name: row["reached"] for name, row in mix.items()} or LANGUAGES
        packed: dict[str, Any] = {"n_tokens": tokens, "documents_fraction": share, "python_fraction": 0.6}
        packed["tokens_by_language"] = {name: round(tokens * part) for name, part in shares.items()}
        _write(root, f"pack_tokens/{variant}", packed | ({"language_mix": mix} if mix else {}))
        metrics = {"steps": tokens // 8192, "tokens": tokens, "passes": 0.8 + index, "first_loss": 8.3, "final_loss": 3.2 - index / 5}
        _write(root, f"pretrain/{variant}", metrics)
        _curve(root, variant, tokens, 0 if variant == "general" else 1)
    for recipe, auc in {"EDU": 0.842, "INS": 0.931, "HQ": 0.873, "HQINS": 0.902}.items():
        _annotator(root, recipe, auc)
    for rule, score in {"selected": 0.71, "random": 0.29}.items():
        by_language = {language: {"tokens": int(400_000 * share)} for language, share in LANGUAGES.items()}
        metrics = {"budget_tokens": 400_000, "tokens": 400_000, "by_language": by_language, "files": 830, "repositories": 33}
        _write(root, f"select_files/{rule}", metrics | {"mean_score": score, "mean_score_of_train": 0.28})


def _data_metrics(root: Path) -> None:
    def languages(files: int, n_bytes: int, keys: tuple[str, str]) -> dict[str, dict[str, int]]:
        return {name: {keys[0]: int(files * share), keys[1]: int(n_bytes * share)} for name, share in LANGUAGES.items()}

    def step(rows_in: int, bytes_in: int, rows_out: int, bytes_out: int, dropped: dict[str, int]) -> dict[str, Any]:
        before = languages(rows_in, bytes_in, ("rows_in", "bytes_in"))
        after = languages(rows_out, bytes_out, ("rows_out", "bytes_out"))
        metrics = row_accounts(rows_in, rows_out, Counter(dropped)) | {"bytes_in": bytes_in, "bytes_out": bytes_out}
        return metrics | {"by_language": {name: before[name] | after[name] for name in before}}

    fetched = languages(9000, 82_000_000, ("files", "bytes"))
    accounts = row_accounts(9400, 9000, Counter({"too_large": 300, "vendored": 100}))
    _write(root, "fetch_corpus", accounts | {"by_language": fetched, "repositories": 60})
    reasons = {"max_line_chars": 310, "min_alphabetic_fraction": 190, "max_generated_name": 260, "max_syntax_error_line": 140}
    by_rule = {rule: {"files": count + 20, "files_alone": count - 100} for rule, count in reasons.items()}
    _write(root, "filter_files", step(9000, 82_000_000, 8100, 66_000_000, reasons) | {"by_rule": by_rule})
    counts = {"problems": 164, "problems_blind": 2, "problems_blind_to_renaming": 30, "files_dropped": 20, "problems_found": 9}
    found = {"by_benchmark": {"humaneval": counts, "mbpp_plus": counts | {"problems": 378}}}
    found["contamination"] = {"humaneval": {"docstring": 12, "solution": 8}}
    _write(root, "deduplicate_files", step(8100, 66_000_000, 6900, 55_000_000, {"exact": 700, "near": 500}) | DEDUPLICATION)
    _write(root, "decontaminate_files", step(6900, 55_000_000, 6880, 54_800_000, {"docstring": 12, "solution": 8}) | found)
    splits = {"train": (6400, 51_000_000, 52), "held_out": (480, 3_800_000, 6)}
    metrics = {
        name: {"files": files, "bytes": n_bytes, "repositories": n, "by_language": languages(files, n_bytes, ("files", "bytes"))}
        for name, (files, n_bytes, n) in splits.items()
    }
    _write(root, "split_files", metrics)
    tokens = {name: {"files": 1, "bytes": 1, "tokens": int(15_000_000 * share)} for name, share in LANGUAGES.items()}
    _write(root, "tokenize_files", {"tokens": {"train": tokens | {"all": {"files": 6400, "bytes": 51_000_000, "tokens": 15_000_000}}}})
    positives: dict[str, Any] = {kind: row_accounts(n, n, Counter()) for kind, n in (("high_quality", 900), ("instruction", 400))}
    _write(root, "fetch_positives", positives | {"contamination": {"humaneval": {"syntax_tree": 3}}})
    unseen = {"files": row_accounts(150, 130, Counter({"is_a_test": 20})), "functions": row_accounts(450, 190, Counter({"too_large": 260}))}
    _write(root, "fetch_unseen", unseen | {"contamination": {}, "by_repository": {"segno": 4}})
    _write(root, "train_tokenizer", {"vocab_size": 8192, "bytes_per_token": 3.4})
    _write(root, "label_files", {"labeller": "rubric", "files": 3000})
    _write(root, "compare_annotators", _compared())
    _documents(root)
    _write(root, "initialize_model", {"parameters": {"total": 7_012_352, "embedding": 2_097_152, "non_embedding": 4_915_200}})


def _compared() -> dict[str, Any]:
    recipes = ["EDU", "INS", "HQ", "HQINS"]
    pairs = {f"{a} and {b}": 0.4 for a, b in combinations(recipes, 2)}
    ends = {end: [f"r/{end}{index}.py (1.00, python, 900 bytes)" for index in range(10)] for end in ("highest", "lowest")}
    areas: dict[str, Any] = {name: {"humaneval": 0.9} for name in [*recipes, "length"]}
    shares = {"between_repositories": 0.3, "within_repositories": 0.7, "sorts_repositories": False, "repositories": 40, "files": 700}
    sorting = shares | {"between_repositories": 0.85, "within_repositories": 0.15, "sorts_repositories": True}
    return {
        "variance_of_scores": dict.fromkeys(recipes, shares) | {"HQ": sorting},
        "rank_correlation": pairs,
        "selected_overlap": pairs,
        "extremes": dict.fromkeys(recipes, ends),
        "benchmark_roc_auc_diagnostic": areas | {"unseen_files": 80},
    }


def _documents(root: Path) -> None:
    quarters = {str(number): {"seeds": 100, "documents": 280 - 70 * number} for number in range(1, 5)}
    made: dict[str, Any] = row_accounts(920, 420, Counter({"imports": 400, "no_parameters": 100}))
    examples = {"imports": {"repository": "r", "path": "r/a.py", "detail": "numpy"}}
    made |= {"teacher": "extractive", "by_seed_quarter": quarters, "seeds_by_language": {"python": 400}, "refusal_examples": examples}
    _write(root, "synthesize_documents", made)
    accepted = row_accounts(420, 320, Counter({"sandbox_failed": 70, "near_duplicate": 22, "benchmark_overlap": 8}))
    by_repository = {f"repository{number}": 20 for number in range(16)}
    metrics: dict[str, Any] = {
        "tokens": 160_000,
        "contamination": {"humaneval": {"solution": 8}},
        "by_language": {"python": {"documents": 420, "accepted": 320}},
        "tokens_by_language": {"python": 160_000},
        "not_parsed": {},
        "by_repository": by_repository,
    }
    metrics["by_prompt_version"] = {"extractive-3": {"documents": 420, "accepted": 320}}
    metrics["by_tests_from"] = {"author": {"documents": 300, "accepted": 200}, "recording": {"documents": 120, "accepted": 120}}
    metrics["by_seed_quarter"] = {name: {"documents": counts["documents"], "accepted": 80} for name, counts in quarters.items()}
    metrics["seed_containment"] = {f"quantile_{quantile:g}": quantile * 0.9 for quantile in (0.0, 0.25, 0.5, 0.75, 1.0)}
    _write(root, "accept_documents", accepted | metrics)
    rows = [
        {"file_id": f"{number:02}", "repository": "r", "language": "python", "name": f"f{number}", "tests_from": "author"}
        | {"n_tests": 3, "seed_score": 0.9, "seed_containment": 0.5}
        | {"content": f'"""Implement `f{number}`."""\n\n\ndef f{number}(x):\n    return x < {number}\n'}
        for number in range(12)
    ]
    table = pa.Table.from_pylist(rows)
    write_table(root / "data/accept_documents", [table], table.schema)
    failed = {"reason": "sandbox_failed", "detail": "AssertionError (line 7)", "content": "assert 0\n"}
    rejected = pa.Table.from_pylist([{"repository": "r", "name": "g"} | failed])
    write_table(root / "data/accept_documents/rejected", [rejected], rejected.schema)


def _bits(root: Path, variant: str, value: float) -> None:
    metrics: dict[str, Any] = {
        name: {
            "bits_per_byte": value * factor,
            "n_bytes": 70_000,
            "n_items": 164,
            "n_clusters": 12,
            "ci95": [value * factor - 0.03, value * factor + 0.035],
        }
        for name, factor in SETS.items()
    }
    _write(root, f"measure_bits_per_byte/{variant}", metrics)
    table = _texts(value, len(variant))
    write_table(root / "data/measure_bits_per_byte" / variant, [table], table.schema)


def _texts(value: float, noise_step: int) -> pa.Table:
    """164 texts of 400 bytes; how hard a text is differs far more than the models do."""
    noise = [10 * ((item * noise_step) % 11 - 5) for item in range(164)]
    mean = sum(noise) / 164
    columns: dict[str, list[Any]] = {"set": [], "cluster": [], "bits": [], "n_bytes": []}
    for name, factor in SETS.items():
        columns["set"] += [name] * 164
        columns["cluster"] += [f"HumanEval/{item}" if name == "humaneval" else f"repository{item % 12}" for item in range(164)]
        columns["bits"] += [400 * value * factor * (0.5 + item / 163) + noise[item] - mean for item in range(164)]
        columns["n_bytes"] += [400] * 164
    return pa.table(columns)


def _branches(root: Path) -> None:
    """Every planned branch of the comparison; HQ needs fewer bits than random files, and alpha fewer than its trigram."""
    value = noisy({"random": 0.0, "HQ": -0.1, "HQ_repository": -0.06, "shortest": 0.05}, 0.002, 1)
    rows = rows_of(PARENT, 2.0, 2.4, SET_SIZES)
    for branch in plan_branches(PARAMS.comparison):
        rows += rows_of(branch, value(branch), 2.4, SET_SIZES)
    write_table(root / "data/train_branches", [pa.Table.from_pylist(rows, BRANCH_SCHEMA)], BRANCH_SCHEMA)


def _floors(root: Path, values: dict[str, float]) -> None:
    floors = {floor: {name: value * factor for name, factor in SETS.items()} for floor, value in values.items()}
    _write(root, "measure_floors", dict.fromkeys(PARAMS.variants, floors))
    tables = []
    for variant in PARAMS.variants:
        for order, value in enumerate(values.values(), 1):
            texts = _texts(value, 2 + order)
            tables.append(pa.table({"variant": [variant] * len(texts), "order": [order] * len(texts)} | dict(texts.to_pydict())))
    write_table(root / "data/measure_floors", tables, tables[0].schema)


def _annotator(root: Path, recipe: str, auc: float) -> None:
    by_labels = recipe in ("EDU", "INS")
    kind, labeller = "regression" if recipe == "EDU" else "classification", "rubric" if by_labels else None
    metrics: dict[str, Any] = {"roc_auc": auc, "roc_auc_of_length_alone": 0.61, "kind": kind, "labeller": labeller}
    metrics |= {"average_precision": auc - 0.05} | ({} if kind == "regression" else {"calibration": {"brier": 0.12}})
    _write(root, f"train_annotator/{recipe}", metrics | {"n_positive": 180, "n_negative": 360})
    _write(root, f"score_files/{recipe}", {"between_folds": {"explained_share": 0.02, "p_value": 0.31}})
    folder = root / "models/train_annotator" / recipe
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(step / 100, (step / 100) ** ((1 - auc) / auc)) for step in range(101)]
    _write_csv(folder / "roc.csv", ("fpr", "tpr"), rows)
    _write_csv(folder / "precision_recall.csv", ("recall", "precision"), [(step / 100, auc - step / 500) for step in range(101)])


def _curve(root: Path, variant: str, tokens: int, phase: int) -> None:
    steps = tokens // 8192
    start, end = (9.0, 3.4) if phase == 0 else (3.5, 2.9 - 0.1 * ("random" not in variant))
    rows = []
    for step in range(1, steps + 1):
        progress = step / steps
        noise = 0.08 * ((step * 7919) % 101 - 50) / 50
        loss = end + (start - end) * (1 - progress) ** (6 if phase == 0 else 2) + noise
        rate = 1e-3 * min(1.0, step / (0.1 * steps)) * (1 - 0.9 * progress)
        rows.append((step, step * 8192, rate, loss))
    folder = root / "models/pretrain" / variant
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "loss_curve.csv", ("step", "tokens", "learning_rate", "train_loss"), rows)


def _write(root: Path, name: str, metrics: dict[str, Any]) -> None:
    write_metrics(root / "metrics" / f"{name}.json", metrics)


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[tuple[float, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])

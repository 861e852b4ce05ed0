"""Writes results/annotators.md: does selection help? Five rules at four repeats, and HQINS at one, two, four and five, against random.

in: one Run per arm and seed   out: Markdown: every seed's value, and the difference to random with its interval
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.errors import ShardError
from snowcoder.reporting.document import Document, Section, Table, number
from snowcoder.reporting.markdown import render_markdown
from snowcoder.statistics.clustered import sum_by_cluster
from snowcoder.statistics.paired import bootstrap_over_seeds
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import read_table

CONTROL = "random, 4 repeats"
SEED = 1
SETS = {
    "validation": "Validation: bodies of documented held-out functions, bits per byte",
    "held_out": "Held-out code, bits per byte",
    "humaneval": "HumanEval solutions given their prompts, bits per byte",
    "mbpp_plus": "MBPP+ solutions given their prompts, bits per byte",
}
BENCHMARKS = {"humaneval": "HumanEval, pass@1, %", "mbpp_plus": "MBPP+, all tests, pass@1, %"}


@dataclass(frozen=True)
class Run:
    """One arm with one seed. bits, n_bytes, clusters, passed: by set or benchmark, one entry per text or problem."""

    bits: Mapping[str, np.ndarray]
    n_bytes: Mapping[str, np.ndarray]
    clusters: Mapping[str, Sequence[str]]
    passed: Mapping[str, np.ndarray]
    selection: Mapping[str, Any]
    epochs: float


Arms = Mapping[str, Mapping[int, Run]]  # arm -> seed -> run
# arm -> (arm - random, 95% interval); None for random itself, or without its runs
Differences = Mapping[str, tuple[float, tuple[float, float]] | None]


def read_run(folder: Path, variant: str, rule: str) -> Run:
    """The run whose outputs are in `folder` as in the repository; variant, rule: the arm's items of pretrain and of select_files."""
    items = read_table(folder / "data/measure_bits_per_byte" / variant)
    grades = read_table(folder / "data/execute_completions" / variant, ["benchmark", "problem_id", "passed"]).to_pylist()
    rows = items.to_pylist()
    names = sorted({row["set"] for row in rows})
    return Run(
        bits={name: np.array([row["bits"] for row in rows if row["set"] == name]) for name in names},
        n_bytes={name: np.array([row["n_bytes"] for row in rows if row["set"] == name]) for name in names},
        clusters={name: [row["cluster"] for row in rows if row["set"] == name] for name in names},
        passed={
            name: np.array([float(row["passed"]) for row in grades if row["benchmark"] == name])
            for name in sorted({row["benchmark"] for row in grades})
        },
        selection=read_metrics(folder / f"metrics/select_files/{rule}.json"),
        epochs=read_metrics(folder / f"metrics/pretrain/{variant}.json")["passes"],
    )


def study_page(arms: Arms, start: Run, command: str, how: Sequence[str], missing: Sequence[str]) -> str:
    """Markdown. start: the general checkpoint; how: sentences on what was run; missing: runs that are not there yet."""
    differences = {name: {arm: compare_arms(arms, arm, name) for arm in arms} for name in SETS}
    sections = [Section("What was run", [*how, f"Again: `{command}`"], [_selection_table(arms)])]
    sections += [Section(title, [], [_value_table(arms, name, start, differences[name])]) for name, title in SETS.items()]
    sections += [Section(title, [], [_pass_table(arms, name)]) for name, title in BENCHMARKS.items()]
    findings = [finding for name in SETS if (finding := _finding(name, differences[name]))]
    if missing:
        findings.insert(0, f"Not finished: {len(missing)} runs are missing ({', '.join(missing)}).")
    return render_markdown(Document("Does selection help?", findings, sections))


def _selection_table(arms: Arms) -> Table:
    rows = []
    for name, seed, run in ((name, seed, run) for name, runs in arms.items() for seed, run in runs.items()):
        tokens = [number(run.selection[key]) for key in ("budget_tokens", "tokens")]
        rows.append([name, str(seed), *tokens, str(run.selection["files"]), f"{run.epochs:.2f}"])
    caption = "Files are taken whole, so a budget is met to within half a file; the horizon is the same for all, so passes differ."
    return Table(["arm", "seed", "budget, unique tokens", "selected tokens", "files", "passes"], rows, caption)


def _value_table(arms: Arms, name: str, start: Run, differences: Differences) -> Table:
    """Bits per byte of one set: lower is better."""
    rows = [["general checkpoint, before", f"{_rate(start.bits[name], start.n_bytes[name]):.4f}", "", "", ""]]
    for arm, runs in arms.items():
        values = [_rate(run.bits[name], run.n_bytes[name]) for run in runs.values()]
        rows.append([arm, _each(values, 4), f"{np.mean(values):.4f}", *_difference(differences[arm], 4)])
    return _arm_table(rows, "Lower is better.")


def _pass_table(arms: Arms, name: str) -> Table:
    rows = []
    for arm, runs in arms.items():
        values = [100 * float(run.passed[name].mean()) for run in runs.values()]
        rows.append([arm, _each(values, 1), f"{np.mean(values):.1f}", *_pass_difference(arms, arm, name)])
    return _arm_table(rows, "Greedy. Higher is better.")


def _arm_table(rows: list[list[str]], note: str) -> Table:
    caption = f"{note} Intervals: bootstrap over seeds, then over the repositories or problems, which all arms share."
    return Table(["arm", "each seed", "mean", f"difference to {CONTROL}", "95% interval"], rows, caption)


def _difference(compared: tuple[float, tuple[float, float]] | None, digits: int) -> list[str]:
    if compared is None:
        return ["-", "-"]
    difference, (low, high) = compared
    return [f"{difference:+.{digits}f}", f"{low:+.{digits}f} to {high:+.{digits}f}"]


def compare_arms(arms: Arms, arm: str, name: str) -> tuple[float, tuple[float, float]] | None:
    """(arm - random, 95% interval) in bits per byte of a set; None for random itself, or without its runs."""
    if arm == CONTROL or not arms.get(CONTROL) or not arms[arm]:
        return None
    runs = [*arms[arm].values(), *arms[CONTROL].values()]
    weights, clusters = _shared_weights(runs, name), runs[0].clusters[name]
    first, second = (np.stack([run.bits[name] for run in arms[one].values()]) for one in (arm, CONTROL))
    ours, theirs, of_clusters = (sum_by_cluster(values, clusters) for values in (first, second, weights))
    return bootstrap_over_seeds(ours, theirs, of_clusters, SEED)


def _pass_difference(arms: Arms, arm: str, name: str) -> list[str]:
    if arm == CONTROL or not arms.get(CONTROL):
        return ["-", "-"]
    first, second = (np.stack([run.passed[name] for run in arms[one].values()]) for one in (arm, CONTROL))
    return _difference(bootstrap_over_seeds(100 * first, 100 * second, np.ones(first.shape[1]), SEED), 1)


def _shared_weights(runs: Sequence[Run], name: str) -> np.ndarray:
    weights = runs[0].n_bytes[name]
    for run in runs:
        if not np.array_equal(run.n_bytes[name], weights):
            raise ShardError(f"data/measure_bits_per_byte: set {name}: two runs have other texts; run the study again from one commit")
    return weights


def _finding(name: str, differences: Differences) -> str:
    """One sentence: which arms differ from random on a set beyond noise."""
    sides: dict[str, list[str]] = {"better than random": [], "worse": [], "within noise": []}
    for arm, compared in differences.items():
        if compared is not None:
            low, high = compared[1]
            sides["better than random" if high < 0 else "worse" if low > 0 else "within noise"].append(arm)
    parts = "; ".join(f"{what}: {'; '.join(found)}" for what, found in sides.items() if found)
    return f"{SETS[name].split(',')[0]}: {parts}." if parts else ""


def _rate(bits: np.ndarray, n_bytes: np.ndarray) -> float:
    return float(bits.sum() / n_bytes.sum())


def _each(values: Sequence[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)

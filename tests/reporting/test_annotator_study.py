"""The study's page: every seed's value, differences with intervals, missing runs, and runs that do not belong together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from snowcoder.errors import ShardError
from snowcoder.evaluation.grading.grade_completions import GRADE_SCHEMA
from snowcoder.evaluation.measuring.bits_per_byte_sets import ITEM_SCHEMA
from snowcoder.reporting.annotator_study import BENCHMARKS, CONTROL, SETS, Run, compare_arms, read_run, study_page
from snowcoder.seeding import generator
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import write_table

N_ITEMS = 50


def run_of(level: float, seed: int, passed: float = 0.0) -> Run:
    draws = generator(seed, "run", str(level))
    n_bytes = np.arange(100, 100 + N_ITEMS)
    hard = generator(0, "items").normal(size=N_ITEMS) * 20  # the same for every run
    bits = {name: level * n_bytes + hard + draws.normal(size=N_ITEMS) for name in SETS}
    return Run(
        bits=bits,
        n_bytes=dict.fromkeys(SETS, n_bytes),
        clusters={name: [f"r{item % 25}" for item in range(N_ITEMS)] for name in SETS},
        passed={name: np.repeat([1.0, 0.0], [int(passed * N_ITEMS), N_ITEMS - int(passed * N_ITEMS)]) for name in BENCHMARKS},
        selection={"budget_tokens": 51200, "tokens": 50000, "files": 30},
        epochs=4.1,
    )


ARMS = {
    CONTROL: {seed: run_of(2.0, seed) for seed in (1, 2, 3)},
    "HQ, 4 repeats": {seed: run_of(1.9, seed, passed=0.1) for seed in (1, 2, 3)},
    "INS, 4 repeats": {seed: run_of(2.0, seed + 10) for seed in (1, 2, 3)},
}


def test_an_arm_that_is_better_is_told_from_one_that_is_not() -> None:
    better = compare_arms(ARMS, "HQ, 4 repeats", "validation")
    alike = compare_arms(ARMS, "INS, 4 repeats", "validation")
    assert better is not None
    assert alike is not None
    assert better[0] == pytest.approx(-0.1, abs=0.01)
    assert better[1][1] < 0
    assert alike[1][0] < 0 < alike[1][1]
    assert compare_arms(ARMS, CONTROL, "validation") is None


def test_the_page_holds_every_seed_and_names_what_is_missing() -> None:
    page = study_page(ARMS, run_of(2.5, 9), "make study", ["How."], ["EDU, 4 repeats seed 1"])
    for arm, runs in ARMS.items():
        values = ", ".join(f"{run.bits['humaneval'].sum() / run.n_bytes['humaneval'].sum():.4f}" for run in runs.values())
        assert f"| {arm} | {values} |" in page
    assert "Not finished: 1 runs are missing (EDU, 4 repeats seed 1)." in page
    assert "better than random: HQ, 4 repeats; within noise: INS, 4 repeats" in page
    assert "| HQ, 4 repeats | 10.0, 10.0, 10.0 | 10.0 | +10.0 |" in page
    assert "`make study`" in page


def test_runs_on_other_texts_are_not_compared() -> None:
    other = run_of(2.0, 1)
    moved = replace(other, n_bytes={name: n_bytes + 1 for name, n_bytes in other.n_bytes.items()})
    with pytest.raises(ShardError, match="two runs have other texts"):
        compare_arms({CONTROL: ARMS[CONTROL], "HQ, 4 repeats": {1: moved}}, "HQ, 4 repeats", "validation")


def test_a_run_is_read_from_the_outputs_of_its_stages(tmp_path: Path) -> None:
    items = pa.table([["humaneval", "humaneval"], [0, 1], ["a", "b"], [8.0, 4.0], [4, 2]], schema=ITEM_SCHEMA)
    write_table(tmp_path / "data/measure_bits_per_byte/continued", [items], ITEM_SCHEMA)
    grades = [
        {"benchmark": "humaneval", "problem_id": str(n), "sample": 0, "passed": n == 1, "base": n == 1, "outcome": "", "detail": ""}
        for n in range(2)
    ]
    write_table(tmp_path / "data/execute_completions/continued", [pa.Table.from_pylist(grades, GRADE_SCHEMA)], GRADE_SCHEMA)
    write_metrics(tmp_path / "metrics/select_files/selected.json", {"tokens": 5})
    write_metrics(tmp_path / "metrics/pretrain/continued.json", {"passes": 3.9})
    run = read_run(tmp_path, "continued", "selected")
    assert run.bits["humaneval"].tolist() == [8.0, 4.0]
    assert run.n_bytes["humaneval"].tolist() == [4, 2]
    assert run.clusters["humaneval"] == ["a", "b"]
    assert run.passed["humaneval"].tolist() == [0.0, 1.0]
    assert (run.epochs, run.selection) == (3.9, {"tokens": 5})

"""The committed metrics of the default profile: complete, adding up, and without zeros that hide a fault."""

import re
from pathlib import Path
from typing import Any

import pytest

from snowcoder.reporting.titles import NO_CLAIM, set_title
from snowcoder.storage.metrics import read_metrics

METRICS = Path(__file__).resolve().parents[2] / "metrics"
VARIANTS = ("general", "continued", "continued_random", "enhanced", "enhanced_selected")
SETS = ("humaneval", "validation", "held_out")


def read(name: str) -> dict[str, Any]:
    return read_metrics(METRICS / f"{name}.json")


@pytest.mark.parametrize("variant", VARIANTS)
def test_pass_at_1_of_every_variant(variant: str) -> None:
    scores = read(f"execute_completions/{variant}")["humaneval"]
    assert scores["total"] == 164
    assert scores["pass@1"] == pytest.approx(scores["passed"] / 164, abs=1e-5)
    low, high = scores["ci95"]
    assert low <= scores["pass@1"] <= high


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", SETS)
def test_every_trained_model_beats_its_initial_weights_and_a_unigram_of_its_tokens(variant: str, name: str) -> None:
    trained = read(f"measure_bits_per_byte/{variant}")[name]["bits_per_byte"]
    assert trained < read("measure_bits_per_byte/initial")[name]["bits_per_byte"]
    assert trained < read("measure_floors")[variant]["unigram"][name]


@pytest.mark.parametrize("name", SETS)
def test_a_ladder_that_does_not_beat_its_trigrams_is_said_first_to_support_no_claim(name: str) -> None:
    floors = read("measure_floors")
    report = (METRICS.parent / "results/report.md").read_text()
    first = report.split("\n- ")[1]
    for variant in ("general", "continued", "enhanced"):
        ours, trigram = read(f"measure_bits_per_byte/{variant}")[name]["bits_per_byte"], floors[variant]["trigram"][name]
        if ours >= trigram:
            assert first.startswith(NO_CLAIM)
            assert set_title(name) in first
            assert re.search(
                rf"^\| {re.escape(set_title(name))} \| {variant} \| {ours:.4f} \| {trigram:.4f} \| .* \| not \w+ \|$", report, re.MULTILINE
            )


@pytest.mark.parametrize("stage", ["filter_files", "deduplicate_files", "decontaminate_files"])
def test_rows_add_up(stage: str) -> None:
    metrics = read(stage)
    assert metrics["rows_in"] == metrics["rows_out"] + sum(metrics["dropped"].values())


@pytest.mark.parametrize("recipe", ["EDU", "INS", "HQ", "HQINS"])
def test_an_annotator_that_does_not_beat_file_length_is_named_first_in_the_report(recipe: str) -> None:
    metrics = read(f"train_annotator/{recipe}")
    report = (METRICS.parent / "results/report.md").read_text()
    named = f"{recipe} ({metrics['roc_auc']:.3f} against {metrics['roc_auc_of_length_alone']:.3f})"
    is_beaten = round(metrics["roc_auc"], 3) <= round(metrics["roc_auc_of_length_alone"], 3)
    assert is_beaten == (named in report.split("\n## ")[0])
    assert metrics["roc_auc"] > 0.5

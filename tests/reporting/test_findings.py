"""The sentences say what the numbers say, also when the recipe does not help."""

from dataclasses import replace
from pathlib import Path

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.findings import compare, control_finding, findings, gain_finding, ladder_finding, length_finding, score_finding
from snowcoder.reporting.results import Results, read_results
from tests.reporting.fabricate import PARAMS, fabricate


def made(folder: Path, bits: dict[str, float] | None = None, solved: int = 0) -> Results:
    fabricate(folder, bits, solved)
    return read_results(PARAMS, folder)


def test_ladder_that_holds(results: Results) -> None:
    sentence = ladder_finding(results, "validation")
    assert "holds: every phase" in sentence
    assert "initial 4.210, general 1.920, continued 1.710, enhanced 1.620" in sentence


def test_ladder_that_breaks_names_the_step(tmp_path: Path) -> None:
    sentence = ladder_finding(made(tmp_path, {"continued": 1.95}), "validation")
    assert "does not hold: continued is not below general" in sentence
    assert "enhanced is not" not in sentence


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.70, ("0.080 bits per byte fewer", "-4.5%", "beyond the noise")),
        (1.779, ("0.001 bits per byte fewer", "-0.1%", "within noise")),
        (1.90, ("0.120 bits per byte more", "+6.7%", "beyond the noise")),
    ],
)
def test_comparison_with_the_control(tmp_path: Path, value: float, said: tuple[str, ...]) -> None:
    comparison = compare(made(tmp_path, {"continued": value}), "continued", "continued_random", "validation")
    assert comparison.interval[0] < comparison.difference < comparison.interval[1]
    for part in said:
        assert part in control_finding(comparison)


def test_the_clearest_gain_is_named_or_that_there_is_none(results: Results, tmp_path: Path) -> None:
    assert gain_finding(results).startswith("The clearest gain over a control: continued needs 0.078 bits per byte fewer than its control")
    assert findings(results)[1] == gain_finding(results)
    worse = made(tmp_path / "worse", {"continued": 2.5, "enhanced": 2.5})
    assert gain_finding(worse) == "No model is better than its control beyond noise, on any set."


def test_models_measured_on_other_texts_are_not_compared(tmp_path: Path) -> None:
    results = made(tmp_path)
    del results.text_bits["continued"]["validation"][1][3:]
    with pytest.raises(SnowcoderError, match=r"continued and continued_random were measured on other texts of validation \(3 and 164\)"):
        compare(results, "continued", "continued_random", "validation")


def test_no_solved_problem_is_said_plainly(results: Results, tmp_path: Path) -> None:
    assert score_finding(results, "humaneval").startswith("No model solves any of the 164 HumanEval problems")
    assert "enhanced 7" in score_finding(made(tmp_path, solved=7), "humaneval")


def test_stand_ins_are_named(results: Results) -> None:
    assert "rubric" in findings(results)[-1]
    assert "extractive" in findings(results)[-1]


def test_annotators_that_file_length_beats_are_named(results: Results) -> None:
    assert length_finding(results) == ""
    areas = {"roc_auc": 0.676, "roc_auc_of_length_alone": 0.697}
    beaten = replace(results, annotators=results.annotators | {"EDU": areas.__getitem__})
    sentence = "On repositories that the heads have not seen, file length alone has at least the ROC-AUC of EDU (0.676 against 0.697)."
    assert length_finding(beaten) == sentence

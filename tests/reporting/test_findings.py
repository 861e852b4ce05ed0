"""The sentences say what the numbers say, also when the recipe does not help."""

from dataclasses import replace
from pathlib import Path

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.comparisons import compare, compare_with_trigram, supports_claims, trigram_comparisons
from snowcoder.reporting.findings import (
    MEASURED,
    WHERE_TO_ASK,
    control_finding,
    findings,
    gain_finding,
    ladder_finding,
    length_finding,
    score_finding,
    trigram_finding,
)
from snowcoder.reporting.results import Results, read_results
from snowcoder.reporting.titles import NO_CLAIM, TRIGRAM_IN_WORDS
from tests.reporting.fabricate import PARAMS, fabricate


def made(folder: Path, bits: dict[str, float] | None = None, solved: int = 0, trigram: float = 2.2) -> Results:
    fabricate(folder, bits, solved, trigram)
    return read_results(PARAMS, folder)


def test_ladder_that_holds(results: Results) -> None:
    sentence = ladder_finding(results, "validation")
    assert "holds: every phase" in sentence
    assert "initial 4.210, general 1.920, continued 1.710, enhanced 1.620" in sentence


def test_ladder_that_breaks_names_the_step(tmp_path: Path) -> None:
    sentence = ladder_finding(made(tmp_path, {"continued": 1.95}), "validation")
    assert "does not hold: continued needs more bits than general (+0.030, 95% interval over texts only, 12 repositories: +0.0" in sentence
    assert "than continued" not in sentence


def test_a_step_whose_interval_holds_0_is_not_said_to_hold_nor_to_break(tmp_path: Path) -> None:
    sentence = ladder_finding(made(tmp_path, {"general": 1.711, "continued": 1.71}), "validation")
    assert (
        "is not shown to hold: continued cannot be distinguished from general (-0.001, 95% interval over texts only, 12 repositories: -0.0"
        in sentence
    )
    assert "bits per byte: initial 4.210, general 1.711, continued 1.710, enhanced 1.620" in sentence


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.70, ("0.080 bits per byte fewer", "-4.5%", "95% interval over texts only, 12 repositories: -0.0")),
        (1.779, ("0.001 bits per byte fewer", "-0.1%", ", which holds 0).")),
        (1.90, ("0.120 bits per byte more", "+6.7%", "95% interval over texts only, 12 repositories: +0.1")),
    ],
)
def test_comparison_with_the_control(tmp_path: Path, value: float, said: tuple[str, ...]) -> None:
    comparison = compare(made(tmp_path, {"continued": value}), "continued", "continued_random", "validation")
    assert comparison.interval is not None
    assert comparison.interval[0] < comparison.difference < comparison.interval[1]
    for part in said:
        assert part in control_finding(comparison)
    assert comparison.leaves_out_zero == (value != 1.779)


def test_the_clearest_gain_is_named_or_that_there_is_none(results: Results, tmp_path: Path) -> None:
    said = "The clearest gain over a control of 6: "
    assert gain_finding(results).startswith(f"{said}continued needs 0.078 bits per byte fewer than its control")
    assert gain_finding(results) in findings(results)
    worse = made(tmp_path / "worse", {"continued": 2.5, "enhanced": 2.5})
    assert gain_finding(worse) == "On no set does a model need fewer bits than its control by an interval over texts that leaves out 0."


def test_a_run_that_may_claim_says_first_which_data_are_better_and_how_far_to_trust_that(results: Results) -> None:
    assert supports_claims(results)
    verdict, trust, ranking, trigram, *_ = findings(results)
    assert "HQ is better than random" in verdict
    assert trust.startswith("How far to trust that: ")
    assert "rank correlation" in ranking
    assert trigram.startswith(f"Every model beats a trigram of its own training tokens ({TRIGRAM_IN_WORDS}) on every set, so that")
    assert (
        "(nearest to its trigram: general on HumanEval solutions, -0.241 bits per byte, 95% interval over texts only, 164 problems: -0.2"
        in trigram
    )


def test_a_run_that_a_trigram_beats_says_first_that_it_supports_no_claim(tmp_path: Path) -> None:
    results = made(tmp_path, trigram=1.8)
    assert not supports_claims(results)
    first, *others = findings(results)
    assert first.startswith(f"{NO_CLAIM}: this run cannot say which data help, as a trigram of a model's own training tokens")
    sets = "documented functions (validation), held-out code and HumanEval solutions"
    assert f"in 3 of 9 comparisons, on {sets} (farthest above: general on held-out code, +0.134 bits per byte)." in first
    assert others[0].startswith("Scale: ")
    assert others[1] == WHERE_TO_ASK
    assert [MEASURED in finding for finding in others[2:]] == [True] * 3 + [False] * 2
    assert not any("clearest gain" in finding for finding in others)


def test_a_model_as_good_as_its_trigram_has_not_beaten_it(tmp_path: Path) -> None:
    results = made(tmp_path, {"enhanced": 1.7993}, trigram=1.8)
    assert not compare_with_trigram(results, "enhanced", "validation").leaves_out_zero
    assert "as well as the model or better in 6 of 9 comparisons, on" in findings(results)[0]  # five of them are behind


def test_a_control_that_its_trigram_beats_is_in_the_table_alone(tmp_path: Path) -> None:
    results = made(tmp_path, {"continued_random": 2.3})
    assert supports_claims(results)
    compared = trigram_comparisons(results, ["continued_random"])
    assert [(one.set_name, one.is_worse) for one in compared] == [("validation", True), ("held_out", True), ("humaneval", True)]
    assert trigram_finding(compared).startswith("Pipeline demonstration, no claim about data")


def test_models_measured_on_other_texts_are_not_compared(tmp_path: Path) -> None:
    results = made(tmp_path)
    results.text_bits["continued"]["validation"].clusters[0] = "another repository"
    with pytest.raises(SnowcoderError, match=r"continued and continued_random were measured on other texts of validation \(164 and 164\)"):
        compare(results, "continued", "continued_random", "validation")


def test_the_interval_is_over_repositories_or_problems_and_a_single_one_gives_none(results: Results) -> None:
    pair = ("continued", "continued_random")
    assert compare(results, *pair, "held_out").unit == "12 repositories"
    assert compare(results, *pair, "humaneval").unit == "164 problems"
    for variant in pair:
        results.text_bits[variant]["held_out"].clusters[:] = ["one"] * 164
    alone = compare(results, *pair, "held_out")
    assert (alone.interval, alone.leaves_out_zero) == (None, False)
    assert "(95% interval over texts only, 1 repository: none)" in control_finding(alone)


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

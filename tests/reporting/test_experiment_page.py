"""The page of a comparison of data: no stronger than its evidence, complete, and the same bytes for the same table."""

import csv
import json
import re
from pathlib import Path

import pytest

from snowcoder.experiment.analysis import Analysis, analyse
from snowcoder.experiment.branches import Branch
from snowcoder.reporting.experiment_files import OUTPUTS, write_experiment
from snowcoder.reporting.experiment_page import RunFacts, comparison_section, experiment_document
from snowcoder.reporting.experiment_tables import arm_table, claim_table, floor_table, parts_table, plan_table, rate_table, set_table
from snowcoder.reporting.experiment_words import describe_arm, experiment_findings
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.titles import NO_CLAIM
from snowcoder.selection.arms import ArmParams
from tests.experiment.made_up_branches import ARMS, branches_params, made_up, noisy

EFFECTS = {"random": 0.0, "HQ": -0.1, "HQ_repository": -0.06, "shortest": 0.05}
FACTS = RunFacts("make experiment PROFILE=small", "small", "0123456789abcdef", 7_000_000, 28_000_000)
LOW = 1e-5
CLAIM_WORDS = re.compile(r"\b(better|worse|best|worst)\b")


def clear(alpha: float = 2.0, **changed: object) -> Analysis:
    params = branches_params(**changed)
    return analyse(made_up(params, noisy(EFFECTS, 0.002, 1), alpha=alpha), params)


def without_effects() -> Analysis:
    params = branches_params()
    return analyse(made_up(params, noisy(dict.fromkeys(ARMS, 0.0), 0.01, 2)), params)


def test_surviving_claims_are_the_headline() -> None:
    first, elsewhere, second, third, *_ = experiment_findings(clear())
    assert elsewhere.startswith("On the other sets, HQ less random: ")
    assert "3 of 3 planned comparisons show a difference" in first
    assert "HQ is better than random (-0.099)" in first
    assert "shortest is worse than random (+0.0" in first
    assert second.startswith("How far to trust that: if no way of choosing differed from another, at most 5% of such experiments")
    assert third.startswith("Arms from the fewest to the most bits per byte: HQ, HQ_repository, random, shortest.")


def test_what_is_not_shown_and_the_other_sets_are_told_too() -> None:
    params = branches_params(claims=[["HQ", "random"], ["shortest", "random"]])
    value = noisy(EFFECTS | {"shortest": EFFECTS["random"]}, 0.002, 1)
    first, *others = experiment_findings(analyse(made_up(params, value), params))
    assert "1 of 2 planned comparisons show a difference" in first
    assert re.search(r" Not shown: shortest better than random \([+-]0\.00\d, -0\.\d{3} to \+0\.\d{3}\)\.$", first)
    (elsewhere,) = (sentence for sentence in others if sentence.startswith("On the other sets"))
    assert re.search(
        r"HQ less random: held-out code -0\.\d{3} \(-0\.\d{3} to -0\.\d{3}\), with intervals of one comparison each\.$", elsewhere
    )


def test_without_a_surviving_claim_no_arm_is_called_better_or_worse() -> None:
    analysis = without_effects()
    told = experiment_findings(analysis)
    assert "none of the 3 planned comparisons shows" in told[0]
    assert not CLAIM_WORDS.search(" ".join(told[1:]))
    assert {row[1] for row in claim_table(analysis).rows} == {"not shown"}


def test_a_demonstration_says_so_first_and_claims_nothing() -> None:
    analysis = clear(alpha=2.3)
    told = experiment_findings(analysis)
    assert told[0].startswith(f"{NO_CLAIM}: this run cannot say which data help, as on HumanEval solutions")
    assert not CLAIM_WORDS.search(" ".join(told).replace("predict code better than a trigram", ""))
    assert {row[1] for row in claim_table(analysis).rows} == {"no claim"}


def test_rates_that_disagree_forbid_the_ranking_in_words_too() -> None:
    params = branches_params()
    value = noisy(EFFECTS, 0.002, 1)
    analysis = analyse(made_up(params, lambda run: value(run) if run.learning_rate != LOW else 4 - value(run)), params)
    told = experiment_findings(analysis)
    assert told[3].startswith("No ranking of the arms is claimed")
    assert "-1.00 at the learning rate 1e-05" in told[3]
    assert not any("from the fewest" in sentence for sentence in told)


def test_missing_trainings_are_told_before_anything_else() -> None:
    params = branches_params()
    lost = tuple(Branch("shortest", draw, rate) for draw in (1, 2, 3, 4) for rate in params.learning_rates)
    analysis = analyse(made_up(params, noisy(EFFECTS, 0.002, 1), without=lost), params)
    told = experiment_findings(analysis)
    assert told[0].startswith("Not finished: 8 of the planned trainings are missing (shortest, draw 1, rate 0.0003;")
    assert told[0].endswith("and 3 more); nothing is claimed before.")
    assert not CLAIM_WORDS.search(" ".join(told))
    assert not analysis.is_ranking_claimed
    assert {row[1] for row in claim_table(analysis).rows} == {"no claim", "not run"}
    assert claim_table(analysis).rows[2][1:3] == ["not run", "-"]


def test_the_parts_in_words_and_in_the_table_add_up() -> None:
    analysis = clear()
    told = next(sentence for sentence in experiment_findings(analysis) if "subject" in sentence)
    choice, subject = parts_table(analysis).rows
    assert (choice[1], subject[1]) == ("choice of files", "subject")
    whole = float(re.search(r"is ([+-][\d.]+) bits", told).group(1))  # type: ignore[union-attr]
    assert float(choice[3]) + float(subject[3]) == pytest.approx(whole, abs=0.001)


def test_tables_have_every_arm_set_and_claim() -> None:
    analysis = clear()
    assert [row[0] for row in arm_table(analysis).rows] == ["HQ", "HQ_repository", "random", "shortest"]
    assert [row[0] for row in floor_table(analysis).rows] == ["alpha", "HQ", "HQ_repository", "random", "shortest"]
    assert len(set_table(analysis).rows) == 3 * 3
    assert all(row[-1].endswith("(few)") for row in set_table(analysis).rows)
    assert [row[2] for row in rate_table(analysis).rows] == ["1", "2", "3", "4"]
    assert plan_table([["HQ better than random", "4", "0.0100", "0.0300"]]).columns[0] == "claim"


def test_a_model_behind_the_trigram_is_marked_in_the_table_of_floors() -> None:
    assert all(cell.endswith(" *") for cell in floor_table(clear(alpha=2.3)).rows[0][1:])
    assert not any(cell.endswith("*") for cell in floor_table(clear()).rows[0][1:])


@pytest.mark.parametrize(
    ("arm", "told"),
    [
        ({"by": "random"}, "random files"),
        ({"by": "HQ"}, "the highest scores of the annotator HQ"),
        ({"by": "dsir"}, "word n-grams most like those of the positives (DSIR)"),
        ({"by": "random", "matched_to": "HQ", "match": "repository"}, "random files, as many tokens from each repository as HQ chose"),
        ({"by": "random", "matched_to": "HQ", "match": "length"}, "random files, as many tokens of each length as HQ chose"),
        ({"by": "HQ", "repeats": 4}, "the highest scores of the annotator HQ; each token seen 4 times"),
    ],
)
def test_how_an_arm_chooses_in_words(arm: dict[str, object], told: str) -> None:
    assert describe_arm(ArmParams.model_validate(arm)) == told


def test_the_files_are_written_and_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    params = branches_params()
    branches = made_up(params, noisy(EFFECTS, 0.002, 1))
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        write_experiment(analyse(branches, params), branches, FACTS, folder)
        contents.append({path: (folder / path).read_bytes() for path in OUTPUTS})
        assert {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} == set(OUTPUTS)
    assert contents[0] == contents[1]
    rows = list(csv.DictReader((tmp_path / "one/results/experiment.csv").open()))
    assert list(rows[0]) == ["arm", "draw", "learning_rate", "set", "bits_per_byte"]
    assert len(rows) == (1 + 2 * 4 * 4) * 3
    assert rows[0] == {"arm": "HQ", "draw": "1", "learning_rate": "1e-05", "set": "held_out", "bits_per_byte": rows[0]["bits_per_byte"]}
    metrics = json.loads((tmp_path / "one/metrics/experiment.json").read_text())
    assert metrics["endpoint"] == ["humaneval", "mbpp_plus"]
    assert metrics["alpha"] == {"humaneval": 2.0, "mbpp_plus": 2.0, "held_out": 2.0}
    assert metrics["floors"]["trigram"]["humaneval"] == pytest.approx(2.2)
    assert metrics["rank_correlation_halves"] == pytest.approx(1)
    assert metrics["smallest_detectable"] > 0
    page = (tmp_path / "one/results/experiment.html").read_text()
    assert page.count("<svg") == 2
    assert "http" not in re.sub(r"http://www\.w3\.org/[^\"]*", "", page), "nothing is fetched"


def test_the_page_says_how_to_repeat_it_and_what_it_leaves_out() -> None:
    page = render_markdown(experiment_document(clear(), FACTS, "experiment.png"))
    assert "`make experiment PROFILE=small` at commit 0123456789" in page
    assert "7M parameters and saw 28M tokens (4.00 a parameter)" in page
    assert "They leave out: another corpus" in page
    assert "share 50% of its files" in page
    assert "vary 2.2 times as much as 4 such draws show" in page, "root of (1 + 3 / 2) / (1 / 2)"


def test_without_a_claim_none_is_told() -> None:
    told = experiment_findings(clear(claims=[]))
    assert told[0] == "No comparison was planned, so that none is claimed."
    assert told[1] == "Without a planned comparison there is no smallest difference to tell."


def test_one_draw_gives_differences_without_intervals() -> None:
    analysis = clear(draws=1, sensitivity_draws=1)
    told = experiment_findings(analysis)
    assert "none of the 3 planned comparisons shows" in told[0]
    assert told[1] == "There are too few trainings to say how small a difference they could have shown."
    section = comparison_section(analysis, "arms.png")
    assert "arms.png" in render_markdown(experiment_document(analysis, FACTS, "arms.png"))
    assert section.blocks

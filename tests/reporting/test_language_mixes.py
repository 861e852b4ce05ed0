"""A control whose languages differ is named, and tokens that a training sees often are counted."""

import pytest

from snowcoder.reporting.contents import compose
from snowcoder.reporting.language_mixes import mix_distance, mix_findings, mix_table, passes_in_training
from snowcoder.reporting.results import Results


def test_the_same_languages_are_no_finding(results: Results) -> None:
    assert mix_distance(results, "enhanced", "enhanced_selected") == 0
    assert mix_findings(results) == []


def test_other_languages_are_a_finding_of_the_report(results: Results) -> None:
    results.packed["enhanced_selected"].values["tokens_by_language"] = {"c": 20_000, "python": 180_000}
    # 48% and 52% against 90% and 10%
    assert mix_distance(results, "enhanced", "enhanced_selected") == pytest.approx(0.42)
    [told] = mix_findings(results)
    assert "enhanced and its control enhanced_selected differ in languages, by 42.0% of their tokens" in told
    assert told in compose(results).findings


def test_passes_are_of_the_training_and_not_of_what_was_packed(results: Results) -> None:
    # 400,000 tokens: 52% of C of 40,000 unique ones, 48% of Python of 192,000
    assert passes_in_training(results, "enhanced") == {"c": pytest.approx(5.2), "python": pytest.approx(1.0)}
    results.trained["enhanced"].values["tokens"] = 200_000
    assert passes_in_training(results, "enhanced") == {"c": pytest.approx(2.6), "python": pytest.approx(0.5)}


def test_passes_of_what_was_not_mixed(results: Results) -> None:
    results.packed["continued"].values["tokens_by_language"] = {"c": 100, "python": 300}
    results.trained["continued"].values["tokens"] = 200
    assert passes_in_training(results, "continued") == {"c": pytest.approx(0.5), "python": pytest.approx(0.5)}


def test_the_table_names_what_is_seen_often(results: Results) -> None:
    table = mix_table(results)
    assert ["enhanced", "enhanced_selected", "c", "52.0%", "52.0%", "5.20", "5.20"] in table.rows
    assert table.caption.endswith("Seen more than 4 times: enhanced: c, enhanced_selected: c.")

"""The report as Markdown and as a page."""

import re
from pathlib import Path

import pytest

from snowcoder.reporting.contents import FIGURE_NAMES, compose
from snowcoder.reporting.data_tables import contamination_table, funnel_table, reason_table, rule_table, selection_table
from snowcoder.reporting.deduplication_tables import cluster_table, deduplication_paragraph, wipe_out_table
from snowcoder.reporting.document import Document, Figure, Listing, Section, Table, megabytes, number, with_interval
from snowcoder.reporting.drawing import draw_for_page
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.model_tables import bits_table, comparison_table, paper_table, scale_table, trigram_table
from snowcoder.reporting.page import render_page
from snowcoder.reporting.results import Results, read_results
from snowcoder.reporting.synthetic_tables import (
    language_mix_table,
    refusal_table,
    rejection_table,
    repository_share_table,
    seed_yield_table,
)
from tests.reporting.fabricate import PARAMS, fabricate


@pytest.fixture
def figures() -> dict[str, tuple[str, str]]:
    return {name: (f"<svg><text>{name}, wide</text></svg>", f"<svg><text>{name}, narrow</text></svg>") for name in FIGURE_NAMES}


def test_markdown_has_findings_figures_and_stand_ins(results: Results) -> None:
    text = render_markdown(compose(results))
    assert text.startswith("# snowcoder")
    for name in FIGURE_NAMES:
        assert f"]({name}.png)" in text
    assert "called extractive" in text
    assert "written rubric" in text
    assert "The ladder on documented functions (validation) holds" in text


def test_llm_labels_and_teacher_are_not_called_stand_ins(tmp_path: Path) -> None:
    fabricate(tmp_path)
    for path in tmp_path.rglob("*.json"):
        path.write_text(path.read_text().replace('"rubric"', '"Llama-3.1-70B"').replace('"extractive"', '"Llama-3.1-70B"'))
    text = render_markdown(compose(read_results(PARAMS, tmp_path)))
    assert "stand-in" not in text.lower()
    assert "by Llama-3.1-70B" in text


def test_page_needs_nothing_but_itself(results: Results) -> None:
    page = render_page(compose(results), draw_for_page(results))
    assert page.count("<svg ") == 2 * len(FIGURE_NAMES)
    assert not re.search(r"(https?:|//)[a-z]", re.sub(r' xmlns(:xlink)?="[^"]+"', "", page))
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page


def test_a_figure_is_described_with_its_numbers(results: Results, figures: dict[str, tuple[str, str]]) -> None:
    page = render_page(compose(results), figures)
    for said in (
        "documented functions (validation): initial 4.210, general 1.920 (trigram 2.200), continued 1.710 (trigram 2.200)",
        "Training loss in nats per token against tokens; last values: general ",
        "fetched 9,000 files, 82 MB; filtered 8,100 files",
        "Area under the ROC curve and average precision: EDU 0.",
    ):
        assert page.count('role="img" aria-label="') == 2 * len(FIGURE_NAMES)
        assert said in page


def test_the_headline_is_open_and_the_rest_is_folded(results: Results, figures: dict[str, tuple[str, str]]) -> None:
    document = compose(results)
    page = render_page(document, figures)
    shown = re.sub(r"<details.*?</details>", "", page[: page.index("<nav")], flags=re.DOTALL)
    assert document.findings[0] in shown
    assert document.findings[2] in shown
    assert not any(finding in shown for finding in document.findings[3:])
    assert page.count('<details class="fold">') == len(document.sections) - 1


def test_page_escapes_and_markdown_keeps_bars_in_cells(figures: dict[str, tuple[str, str]]) -> None:
    table = Table(["a", "b"], [["<b>", "x|y"]], "1 < 2")
    document = Document("t & u", ["<i>"], [Section("s", ["p"], [table, Figure("ladder.png", "", "d")])])
    page = render_page(document, figures)
    assert "&lt;b&gt;" in page
    assert "<i>" not in page
    assert "| <b> | x\\|y |" in render_markdown(document)


def test_a_command_in_a_sentence_is_set_as_code_on_the_page(figures: dict[str, tuple[str, str]]) -> None:
    page = render_page(Document("t", ["`make <x>` compares", "one ` alone"], []), figures)
    assert "<p><code>make &lt;x&gt;</code> compares</p>" in page
    assert "<li>one ` alone</li>" in page


def test_every_cell_knows_its_column_so_that_rows_can_be_cards_on_a_phone(figures: dict[str, tuple[str, str]]) -> None:
    table = Table(["model", "bits & bytes"], [["a", "1"], ["b", "2"]])
    page = render_page(Document("t", ["f"], [Section("s", [], [table])]), figures)
    assert page.count('data-column="model" class="words"') == page.count('data-column="bits &amp; bytes">') == 2
    assert "@media (max-width: 46rem)" in page


def test_funnel_adds_up_by_language(results: Results) -> None:
    rows = {row[0]: row for row in funnel_table(results).rows}
    assert list(rows) == ["fetched", "filtered", "deduplicated", "decontaminated", "train split"]
    assert rows["fetched"][1:] == ["9,000", "100.0%", "82 MB", "100.0%"]


def test_reasons_are_sorted_within_a_stage_and_hold_shares_of_its_input(results: Results) -> None:
    rows = reason_table(results).rows
    assert rows[0] == ["fetch_corpus", "too_large", "300", "3.2%"]
    assert rows[2] == ["filter_files", "max_line_chars", "310", "3.4%"]
    assert ["deduplicate_files", "exact", "700", "8.6%"] in rows
    assert rows[-1] == ["fetch_unseen: functions", "too_large", "260", "57.8%"]


def test_rules_are_sorted_by_the_files_that_break_them(results: Results) -> None:
    assert rule_table(results).rows[0] == ["max_line_chars", "330", "210", "310"]


def test_one_table_holds_the_contamination_of_corpus_positives_and_synthetic_documents(results: Results) -> None:
    table = contamination_table(results)
    assert table.columns[-3:] == ["in corpus", "in positives", "in synthetic"]
    assert table.rows == [
        ["humaneval", "docstring", "164", "2", "30", "12", "0", "0"],
        ["humaneval", "solution", "164", "2", "30", "8", "0", "8"],
        ["humaneval", "syntax_tree", "164", "2", "30", "0", "3", "0"],
        ["mbpp_plus", "-", "378", "2", "30", "0", "0", "0"],
        ["all", "files screened", "-", "-", "-", "6,900", "1,300", "420"],
    ]


def test_selection_stands_beside_all_of_train(results: Results) -> None:
    rows = selection_table(results).rows
    assert [row[0] for row in rows] == ["all of train", "selected", "random"]
    assert rows[1][1:4] == ["830", "400,000", "2.7%"]


def test_comparisons_cover_every_control_and_set(results: Results) -> None:
    rows = comparison_table(results).rows
    assert len(rows) == 2 * 3
    *cells, interval, unit = rows[0]
    assert cells == ["continued", "continued_random", "documented functions (validation)", "1.7100", "1.7800", "-0.0700", "-3.93%"]
    low, high = (float(bound) for bound in interval.split(" to "))
    assert low < -0.07 < high < 0
    assert unit == "12 repositories"


def test_n_grams_of_its_own_tokens_stand_below_every_model(results: Results) -> None:
    rows = bits_table(results).rows
    assert [row[0] for row in rows[:5]] == ["initial (untrained)", "general (alpha)", "its unigram", "its bigram", "its trigram"]
    assert rows[4][1:] == ["2.200", "2.464", "1.892"]
    assert len(rows) == 1 + 4 * len(PARAMS.variants)


def test_every_model_is_compared_with_its_trigram_on_every_set(results: Results) -> None:
    rows = trigram_table(results).rows
    assert len(rows) == 3 * len(PARAMS.variants)
    *cells, interval, over, verdict = rows[0]
    assert cells == ["documented functions (validation)", "general", "1.9200", "2.2000", "-0.2800"]
    low, high = (float(bound) for bound in interval.split(" to "))
    assert low < -0.28 < high < 0
    assert (over, verdict) == ("12 repositories", "beaten")


def test_paper_s_figures_stand_beside_ours(results: Results) -> None:
    rows = {row[0]: row for row in paper_table(results).rows}
    assert rows["enhanced (final)"][-4:] == ["28.0", "42.9", "18.0", "19.4"]
    assert rows["continued_random (control)"][-4:] == ["-"] * 4
    assert ["parameters", "7.01M", "1.36B"] in scale_table(results).rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999_000, "999,000"),
        (1_000_000, "1M"),
        (7_012_352, "7.01M"),
        (12.5e9, "12.5B"),
        (999.7e6, "1B"),
        (999e6, "999M"),
        (4e11, "400B"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_megabytes_and_intervals() -> None:
    assert megabytes(9_940_000) == "9.9 MB"
    assert megabytes(1_234_000_000) == "1,234 MB"
    assert with_interval(0.05, [0.0, 0.1], 1, scale=100) == "5.0 (0.0 to 10.0)"


def test_ten_documents_are_folded_into_the_report(results: Results, figures: dict[str, tuple[str, str]]) -> None:
    page, text = render_page(compose(results), figures), render_markdown(compose(results))
    n_reasons = len(results.rejected)
    assert n_reasons == 1
    folded = page[page.index("<nav") :].count("<details>")
    assert folded == text.count("<details>") == 10 + n_reasons + len(results.params.recipes)
    assert "<summary>f3 (from r, seed score 0.90, 50.0% in its seed; tests: 3 by author)</summary>" in text
    assert "<summary>rejected, sandbox_failed: g (from r)</summary>\n\n```\nassert 0\n```" in text
    assert "return x &lt; 3\n" in page
    assert '```python\n"""Implement `f3`."""' in text


def test_a_listing_s_fence_is_longer_than_any_in_its_code() -> None:
    section = Section("s", [], [Listing("a < b", "x = '````'\n", "python")])
    text = render_markdown(Document("t", [], [section]))
    assert "\n`````python\nx = '````'\n`````\n" in text
    assert "<summary>a &lt; b</summary>" in text


def test_yield_reasons_and_repositories_of_the_synthetic_documents(results: Results) -> None:
    assert seed_yield_table(results).rows[0] == ["best quarter", "100", "210", "80", "0.80"]
    assert rejection_table(results).rows[0] == ["sandbox_failed", "r: g", "AssertionError (line 7)", "70"]
    assert refusal_table(results).rows == [["imports", "r: r/a.py", "numpy", "400"], ["no_parameters", "", "", "100"]]
    rows = repository_share_table(results).rows
    assert rows[0] == ["repository0", "20", "6.2%"]
    assert rows[-1] == ["4 others", "80", "25.0%"]


def test_the_phase_s_mix_by_language_is_planned_beside_reached(results: Results) -> None:
    assert language_mix_table(results).rows == [
        ["c", "0", "0", "0", "0", "0.0%", "files", "5.20", "50.0%", "52.0%"],
        ["python", "400", "420", "320", "160,000", "100.0%", "documents", "1.00", "50.0%", "48.0%"],
    ]


def test_a_document_without_a_name_is_called_by_its_first_words_and_an_unparsed_language_is_told(results: Results) -> None:
    results.accepted_samples[0] |= {"name": "", "content": "/**\n * Sum of a list.\n */\nlet x = 1;\n", "language": "javascript"}
    results.accepted_samples[0] |= {"n_tests": 0, "tests_from": ""}
    results.stages["accept_documents"].values["not_parsed"] = {"swift": 3}
    text = render_markdown(compose(results))
    assert "<summary>Sum of a list. (from r, seed score 0.90, 50.0% in its seed; tests: 0)</summary>" in text
    assert "Not parsed, for lack of a grammar: 3 swift." in text


def test_clusters_pairs_and_wipe_outs_are_told(results: Results) -> None:
    assert cluster_table(results).rows == [["2", "300"], ["3-4", "90"], ["5-9", "40"], ["10-99", "9"], ["100-999", "1"], ["1000+", "0"]]
    assert wipe_out_table(results).rows == [["repository", "owner/copies", "120", "4", "96.7%"]]
    text = deduplication_paragraph(results)
    assert "of 2,400 pairs compared exactly, 1,500 reach the threshold" in text
    assert "names 1 repositories and 0 languages" in text
    results.stages["deduplicate_files"].values["wipe_out"] = {"languages": [], "repositories": [], "n_repositories": 0}
    assert "owner/copies" not in render_markdown(compose(results))

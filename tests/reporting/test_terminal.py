"""What the report stage prints: the conclusion first, and no number cut off in a narrow terminal."""

import pytest
from rich.console import Console

from snowcoder.reporting.comparisons import comparisons
from snowcoder.reporting.document import Table
from snowcoder.reporting.findings import findings
from snowcoder.reporting.results import Results
from snowcoder.reporting.terminal import print_results, print_table
from tests.reporting.fabricate import PARAMS


def printed(results: Results, width: int, capsys: pytest.CaptureFixture[str]) -> str:
    print_results(Console(width=width, highlight=False, markup=False), results)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 100, 130])
def test_names_and_numbers_are_whole_in_every_width(results: Results, width: int, capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(results, width, capsys)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    assert len(shown.splitlines()) <= 70
    for variant, control in PARAMS.controls:
        assert f"{variant} against its control {control}" in shown
    for item in comparisons(results):
        assert item.interval is not None
        row = next(line for line in shown.splitlines() if f"{item.difference:+.4f}" in line and f"{item.interval[0]:+.4f}" in line)
        assert f"{100 * item.relative:+.2f}%" in row
        assert f"{item.interval[0]:+.4f} to {item.interval[1]:+.4f}" in row
        assert item.unit in row


def test_the_conclusion_comes_first(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    words = printed(results, 100, capsys).split()
    first = " ".join(["-", findings(results)[0]]).split()
    assert words[: len(first)] == first


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Console(width=80, markup=False), "languages", Table(["name", "a value"], [["[python]", "[bold]"]]))
    assert "[python]  [bold]" in capsys.readouterr().out

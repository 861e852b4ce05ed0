"""The committed list of snippets: masks and generated-file marks find a minimum of those to be found and leave a minimum alone."""

import pytest

from bench.masks import measure, read_snippets
from snowcoder.filtering.generated import MARKER_LINES, STRONG_MARKER_LINES, has_generated_name, marker_line

FIGURES = measure()


@pytest.mark.parametrize("kind", ["secret", "email", "ip_address", "generated"])
def test_precision_and_recall_do_not_fall(kind: str) -> None:
    figures = FIGURES[kind]
    assert figures.precision >= 0.98, figures.wrong
    assert figures.recall >= 0.98, figures.wrong


def test_the_list_is_long_and_halved_and_without_repeats() -> None:
    snippets = list(read_snippets())
    assert len({snippet.text for snippet in snippets}) == len(snippets) >= 160
    positives = sum(snippet.is_positive for snippet in snippets)
    assert 0.4 <= positives / len(snippets) <= 0.6


def test_a_mark_below_the_first_lines_counts_if_it_forbids_edits() -> None:
    licence = "# words of a licence\n" * (MARKER_LINES + 3)
    assert marker_line(licence + "# This file is auto-generated.\n") == 0
    assert marker_line(licence + "# This file is auto-generated.\n# Do not edit.\n") == MARKER_LINES + 4
    assert marker_line("#\n" * STRONG_MARKER_LINES + "# This file is auto-generated. Do not edit.\n") == 0


@pytest.mark.parametrize(
    "content",
    ['"' * 100_000, "/*" * 50_000, "# generated " * 20_000, "# do not edit" + " x-" * 50_000, "<<" * 50_000, "# " + ". " * 20_000],
)
def test_a_hostile_head_is_read_in_time(content: str) -> None:
    assert marker_line(content) == 0


@pytest.mark.parametrize(
    ("path", "generated"),
    [
        ("a/parsetab.py", True),
        ("poetry.lock", True),
        ("a/zz_generated.deepcopy.go", True),
        ("a/schema_generated.h", True),
        ("a/y.tab.c", True),
        ("a/lex.yy.cc", True),
        ("a/parser.tab.hh", True),
        ("a/vue.min.mjs", True),
        ("a/my_parsetab.py", False),
        ("a/generated.py", False),
        ("a/clock.py", False),
        ("a/lex.py", False),
    ],
)
def test_names_that_only_tools_give(path: str, generated: bool) -> None:
    assert has_generated_name(path) is generated

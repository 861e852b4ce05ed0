"""Heuristic scores of small files, counted by hand."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.baselines.heuristics import heuristic_scores

PYTHON = '''"""Sums."""

def total(values):
    """Their sum."""
    # one by one
    result = 0
    for value in values:
        result += value * 2
    return result
'''


def test_scores_of_a_python_file() -> None:
    scores = heuristic_scores("python", PYTHON)
    explaining = len('"""Sums."""') + len('"""Their sum."""') + len("# one by one")
    everything = explaining + len("def total(values):") + len("result = 0") + len("for value in values:")
    everything += len("result += value * 2") + len("return result")
    # a loop, +=, * in eight lines
    assert scores == {"shortest": -float(len(PYTHON)), "loops": 3 / 8, "docstrings": pytest.approx(explaining / everything)}


@pytest.mark.parametrize(
    ("language", "line", "operations"),
    [
        ("python", "x = [a * b for a in b for b in c]", 3),
        ("python", "while a % 2: a //= 2", 3),
        ("python", "x = 'a' + b + f'{c}'; y = '%s' % z; s += 'x'", 0),
        ("python", "x = 'for a in b: c + d'", 0),
        ("python", "for x in y print x + 1", 2),  # does not parse
        ("javascript", "for (let i = 0; i < n - 1; i++) total += i;", 4),
        ("javascript", "// for each a + b", 0),
        ("css", "font-size: calc(100% - 2px)", 1),
        ("html", "<p class=data-for-all>a</p>", 1),
    ],
)
def test_loops_and_arithmetic_of_a_line(language: str, line: str, operations: int) -> None:
    assert heuristic_scores(language, line)["loops"] == operations


def test_blank_lines_do_not_count_and_comments_of_other_languages_explain() -> None:
    assert heuristic_scores("javascript", "a + b\n\n  \nc\n")["loops"] == 0.5
    assert heuristic_scores("javascript", "// four\nfour()")["docstrings"] == 7 / 13
    assert heuristic_scores("html", "<!-- four -->\n<p>")["docstrings"] == 0.0
    assert heuristic_scores("python", "# four\nfour( =")["docstrings"] == 6 / 13  # does not parse


@given(st.sampled_from(["python", "c", "html", "sql"]), st.text(alphabet="ab\"'#:\n\r\f\u2028 +for=()\x00", max_size=60))
def test_any_text_has_scores_within_bounds(language: str, content: str) -> None:
    scores = heuristic_scores(language, content)
    assert scores["shortest"] == -len(content.encode())
    assert scores["loops"] >= 0.0
    assert 0.0 <= scores["docstrings"] <= 1.0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_do_not_matter(end: str) -> None:
    content = PYTHON.replace("\n", end)
    ast.parse(content)
    changed, scores = heuristic_scores("python", content), heuristic_scores("python", PYTHON)
    assert (changed["loops"], changed["docstrings"]) == (scores["loops"], scores["docstrings"])

"""bench.disguises on handmade texts, and how many HumanEval problems the committed thresholds find in each disguise."""

import ast
import json

import pytest

from bench.disguises import (
    CODE_DISGUISES,
    DISGUISES,
    assertions_alone,
    function_renamed,
    method_of_class,
    names_changed,
    statement_in_notebook,
    statements_reordered,
    tabs_quotes_and_split_lines,
    type_hints_changed,
)
from snowcoder.benchmarks.problem import Problem
from tests.decontamination.problems import human_eval, ids

PROBLEM = Problem(
    "b",
    "b/0",
    'def times(n: int) -> int:\n    """Multiply as far as n.\n    >>> times(3)\n    6\n    """\n',
    "    low = 1  # neutral\n    text = 'up'\n    print(text, low)\n    return n * times(n - 1) if n > low else low\n",
    "def check(candidate):\n    # easy\n    assert candidate(3) == 6\n",
    "times",
)
# of 164; where it is less, the rest is too short or, reordered, has nothing to reorder
FOUND = {
    "verbatim": 164,
    "statement_as_docstring": 151,
    "statement_as_comment": 151,
    "statement_in_notebook": 151,
    "assertions_alone": 160,
    "solution_alone": 158,
    "function_renamed": 148,
    "reformatted": 148,
    "names_changed": 143,
    "method_of_class": 148,
    "type_hints_changed": 158,
    "tabs_quotes_and_split_lines": 148,
    "statements_reordered": 29,
    "inside_a_string": 148,
    "renamed_inside_a_string": 143,
}


def between(text: str | None) -> str:
    """What a disguise puts between the ordinary functions."""
    assert text is not None
    return text.split("os.getcwd()\n\n\n")[1].split("\n\n\ndef after")[0]


def test_disguises_by_hand() -> None:
    assert between(function_renamed(PROBLEM)) == f"def work_out(n: int) -> int:\n{PROBLEM.canonical_solution.replace('times', 'work_out')}"
    assert between(names_changed(PROBLEM)).splitlines()[0] == "def zz_3(zz_2: int) -> int:"
    assert between(type_hints_changed(PROBLEM)).startswith("def times(n):\n    low = 1\n")
    assert "class Answers:\n\n    def work_out(self, n: int) -> int:\n" in between(method_of_class(PROBLEM))
    assert "n * self.work_out(n - 1)" in between(method_of_class(PROBLEM))
    assert between(statements_reordered(PROBLEM)).splitlines()[1:4] == ["    text = 'up'", "    low = 1", "    print(text, low)"]
    relayed = between(tabs_quotes_and_split_lines(PROBLEM)).splitlines()
    assert [line.rstrip() for line in relayed[1:5]] == ["\tlow = 1", '\ttext = "up"', "\tprint ( text ,", "\t\t\tlow )"]
    assert assertions_alone(PROBLEM) == "from answers import times\n\n\ndef test_answers():\n    assert times(3) == 6\n"
    assert json.loads(statement_in_notebook(PROBLEM) or "")["cells"][0]["source"][-1] == "Multiply as far as n.\n"


@pytest.mark.parametrize("disguise", CODE_DISGUISES, ids=lambda disguise: disguise.__name__)
def test_code_in_disguise_is_python_without_its_docstring(disguise) -> None:
    for problem in human_eval()[::10]:
        text = disguise(problem)
        if text is not None:
            assert not any(ast.get_docstring(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda disguise: disguise.__name__)
def test_as_many_problems_are_found_in_each_disguise_as_are_reported(disguise) -> None:
    texts = [(problem.problem_id, disguise(problem)) for problem in human_eval()]
    assert sum(text is not None and problem_id in ids(text) for problem_id, text in texts) == FOUND[disguise.__name__]

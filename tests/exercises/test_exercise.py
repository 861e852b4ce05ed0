import ast
from dataclasses import replace

import pytest

from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.docstring_prose import description
from snowcoder.exercises.exercise import Exercise, make_exercises, package_of
from snowcoder.exercises.recording import RecordingRules
from snowcoder.exercises.render import render_instruction
from snowcoder.sandbox.program import Outcome, run_programs
from tests.exercises.exercise_rules import LIMITS, RULES


def outcomes_of(exercises: list[Exercise]) -> list[Outcome]:
    return run_programs([exercise.document for exercise in exercises], LIMITS, "exercises")


FILE = r'''
from itertools import islice


def take(n, iterable):
    r"""Return the first *n* items of the iterable as a list::

        >>> take(3, range(10))
        [0, 1, 2]

    Items beyond the end are not made up.

    Example:

        >>> from seqs import take
        >>> take(3, 'a\\b')
        ['a', '\\', 'b']
    """
    return list(islice(iterable, n))


def wrong(x):
    """Its example is wrong.

    >>> wrong(1)
    3
    """
    return x + 1


def hidden_exit(x):
    """Leaves before its tests.

    >>> hidden_exit(1)
    5
    """
    print(x)
    raise SystemExit(0)


def prose(x):
    """No examples at all."""
    return x
'''

EXPECTED = r'''"""Write a function `take(n, iterable)`.

Return the first *n* items of the iterable as a list.

Items beyond the end are not made up.
"""

from itertools import islice


def take(n, iterable):
    r"""Return the first *n* items of the iterable as a list.

    >>> take(3, range(10))
    [0, 1, 2]
    >>> take(3, 'a\\b')
    ['a', '\\', 'b']
    """
    return list(islice(iterable, n))


# Tests
assert take(3, range(10)) == [0, 1, 2]
assert take(3, 'a\\b') == ['a', '\\', 'b']
'''


@pytest.fixture(scope="module")
def exercises() -> list[Exercise]:
    return [one for one in make_exercises(FILE, "seqs/core.py", RULES) if isinstance(one, Exercise)]


def test_doctested_functions_become_exercises(exercises: list[Exercise]):
    assert [exercise.name for exercise in exercises] == ["take", "wrong", "hidden_exit"]


def test_an_exercise_is_one_readable_file(exercises: list[Exercise]):
    assert exercises[0].document == EXPECTED
    assert exercises[0].n_tests == 2
    assert all(part in EXPECTED for part in (exercises[0].problem, exercises[0].solution, exercises[0].tests))


def test_the_instruction_is_problem_and_solution_without_tests(exercises: list[Exercise]):
    text = render_instruction(exercises[0].problem, exercises[0].solution)
    assert EXPECTED.startswith(text)
    assert "# Tests" not in text
    assert ast.get_docstring(ast.parse(text)) == exercises[0].problem.strip()


def test_only_exercises_whose_tests_hold_pass_in_the_sandbox(exercises: list[Exercise]):
    assert [outcome.status for outcome in outcomes_of(exercises)] == ["passed", "failed", "failed"]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [({"min_tests": 3}, "too_few_tests"), ({"max_document_bytes": 256}, "too_long")],
)
def test_rules_refuse_with_a_reason(rules: dict, reason: str):
    first = next(make_exercises(FILE, "seqs/core.py", RULES.model_copy(update=rules)))
    assert isinstance(first, Refusal)
    assert first.reason == reason


def test_what_python_parses_but_cannot_write_is_refused():
    function = 'def f(x):\n    """Doc.\n\n    >>> f(0x{digits}) # big\n    1\n    """\n    return x\n'.replace("{digits}", "1" * 9000)
    rules = RULES.model_copy(update={"max_document_bytes": 10**6})
    assert [result.reason for result in make_exercises(function, "a.py", rules) if isinstance(result, Refusal)] == ["unresolved_name"]


def test_a_file_without_examples_gives_nothing():
    assert list(make_exercises("def f(x):\n    '''Doc.'''\n    return x\n", "a.py", RULES)) == []


@pytest.mark.parametrize(("path", "package"), [("toolz/itertoolz.py", "toolz"), ("src/toolz/x.py", "toolz"), ("roman.py", "roman")])
def test_the_package_is_the_first_folder(path: str, package: str):
    assert package_of(path) == package


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Add.\n\nExamples\n--------\n>>> f(1)\n2\n", "Add."),
        ("Add.\n\n**Examples**::\n\n    >>> f(1)\n    2\n\nMore.", "Add.\n\nMore."),
        ("For example:\n\n>>> f(1)\n2\n", ""),
        ("It gives:\n\n>>> f(1)\n2\n", "It gives."),
        ("Args:\n    x: a number\n", "Args:\n    x: a number"),
    ],
)
def test_the_description_is_the_prose_without_what_announced_the_examples(docstring: str, expected: str):
    assert description(docstring) == expected


VARIED = RULES.model_copy(update={"varied_forms": True, "recording": RecordingRules(max_arguments=60, max_tests=5, min_line_fraction=0.75)})
MANY = "\n\n".join(
    f'''def scale_{number}(value):
    """Multiply a number by {number} and add one.

    >>> scale_{number}(2)
    {2 * number + 1}
    """
    return value * {number} + 1
'''
    for number in range(1, 41)
)


def test_forms_vary_and_every_one_of_them_passes():
    made = [one for one in make_exercises(MANY, "a.py", VARIED, limits=LIMITS) if isinstance(one, Exercise)]
    assert len(made) == 40
    assert all(outcome.passed for outcome in outcomes_of(made))
    broken = [replace(one, document=one.document.replace("    return value *", "    return value * 2 *")) for one in made]
    assert not any(outcome.passed for outcome in outcomes_of(broken))
    assert any(one.document.startswith("# ") for one in made)
    assert any(one.document.startswith('"""') for one in made)
    assert any(one.document.startswith("def scale_") for one in made)
    assert any("doctest.testmod()" in one.document for one in made)
    assert any("def test_scale_" in one.document for one in made)
    assert any('if __name__ == "__main__":\n    assert scale_' in one.document for one in made)
    assert [one.document for one in made] == [
        one.document for one in make_exercises(MANY, "a.py", VARIED, limits=LIMITS) if isinstance(one, Exercise)
    ]


UNTESTED = '''
import numpy


def _initials(text):
    """The first letter of each word of a text, in upper case.

    >>> import pandas
    >>> _initials(pandas)
    'A'
    """
    return "".join(word[0].upper() for word in text.split())


def silent(text):
    """Prints the text and gives nothing back."""
    print(text)


def far(text):
    """Needs a library that is not there."""
    return numpy.array(text)


def needs(request):
    """Says what the request is called."""
    return request.user.name


def short(text):
    """Text."""
    return text[:3]
'''


def test_functions_whose_examples_do_not_serve_get_recorded_tests_under_a_public_name():
    rules = VARIED.model_copy(update={"min_statement_words": 4})
    results = list(make_exercises(UNTESTED, "a.py", rules, limits=LIMITS))
    made = [result for result in results if isinstance(result, Exercise)]
    assert [(one.name, one.recorded) for one in made] == [("initials", True)]
    assert "_initials" not in made[0].document
    assert outcomes_of(made)[0].passed
    refused = {result.detail: result.reason for result in results if isinstance(result, Refusal)}
    assert refused == {
        "silent": "returns_nothing", "numpy": "imports", "needs": "needs_an_object", "short": "statement_too_short",
    }  # fmt: skip


def test_without_recording_only_doctested_functions_are_candidates():
    assert [result.detail for result in make_exercises(UNTESTED, "a.py", RULES) if isinstance(result, Refusal)] == ["pandas"]


CLASS = '''
class Stack:
    """A last-in, first-out stack of values.

    >>> stack = Stack()
    >>> stack.push(3)
    >>> len(stack)
    1
    """

    def __init__(self):
        self._values = []

    def push(self, value):
        """Put a value on top.

        >>> stack = Stack()
        >>> stack.push(1)
        """
        self._values.append(value)

    def __len__(self):
        return len(self._values)
'''


def test_a_doctested_class_is_an_exercise_too():
    (made,) = [one for one in make_exercises(CLASS, "a.py", VARIED, limits=LIMITS) if isinstance(one, Exercise)]
    assert made.name == "Stack"
    assert "`Stack`" in made.problem
    assert made.n_tests == 1
    assert outcomes_of([made])[0].passed


def test_a_function_that_is_mostly_helpers_is_refused():
    helper = "def helper(x):\n" + "".join(f"    x = x + {number}\n" for number in range(60)) + "    return x\n\n\n"
    content = helper + 'def f(x):\n    """Add a lot to x.\n\n    >>> f(0)\n    1770\n    """\n    return helper(x)\n'
    (result,) = make_exercises(content, "a.py", RULES.model_copy(update={"max_helper_ratio": 2.0}))
    assert isinstance(result, Refusal)
    assert result.reason == "mostly_helpers"


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Add.\n\n.. versionadded:: 1.0\n    by someone\n\nMore.", "Add.\n\nMore."),
        ("Add.\n\nSee Also\n--------\nother\n\nReturns\n-------\nx", "Add.\n\nReturns\n-------\nx"),
        ("Uses :func:`pkg.mod.add` and :class:`~a.B`.", "Uses `add` and `B`."),
        (".. note:: careful", "Note: careful"),
    ],
)
def test_the_description_says_nothing_of_history_or_elsewhere(docstring: str, expected: str):
    assert description(docstring) == expected

"""From the text of a file to exercises: each documented, doctested function that can stand alone becomes a problem, a solution, tests.

in: content and path of a Python file, ExerciseRules   out: Exercise or Refusal per doctested function, in the order of the file
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from snowcoder.exercises.cutout import ModuleSource, Refusal, cut_out
from snowcoder.exercises.doctests import make_tests
from snowcoder.exercises.functions import DocumentedFunction, extract_functions
from snowcoder.exercises.names import parse
from snowcoder.exercises.render import render_document, render_problem, render_solution
from snowcoder.params import ParamsModel


class ExerciseRules(ParamsModel):
    """Which functions become exercises."""

    min_tests: int = Field(ge=1, description="checks that the examples of a function must make")
    max_definitions: int = Field(ge=0, description="definitions of the same file that may be inlined")
    max_document_bytes: int = Field(ge=256, description="bytes of the whole exercise file")


@dataclass(frozen=True)
class Exercise:
    """problem: prose. solution: imports, helpers and the function. tests: code that fails if the solution is wrong. document: all three as
    one Python file. n_tests: checks in `tests`."""

    name: str
    problem: str
    solution: str
    tests: str
    document: str
    n_tests: int


def make_exercises(content: str, path: str, rules: ExerciseRules) -> Iterator[Exercise | Refusal]:
    """One result per doctested function of a file; `path` is inside its distribution, so that its first part is the package."""
    functions = extract_functions(content, only_with_examples=True) if ">>>" in content else []
    module = ModuleSource(content) if functions else None
    for function in functions:
        assert module is not None
        try:
            yield make_exercise(module, function, package_of(path), rules)
        except (ValueError, RecursionError):  # ast.unparse: a number of 5000 digits, a thousand brackets
            yield Refusal("cannot_be_rendered", function.name)


def package_of(path: str) -> str:
    """Import name of the package that a file belongs to: `toolz/itertoolz.py` and `src/toolz/itertoolz.py` -> `toolz`."""
    parts = path.removeprefix("src/").split("/")
    return parts[0].removesuffix(".py")


def make_exercise(module: ModuleSource, function: DocumentedFunction, package: str, rules: ExerciseRules) -> Exercise | Refusal:
    """The exercise of one function, or why there is none."""
    if not function.examples:
        return Refusal("no_examples", function.name)
    if function.name.startswith("test_"):
        return Refusal("is_a_test", function.name)
    cutout = cut_out(module, function, package, rules.max_definitions)
    if isinstance(cutout, Refusal):
        return cutout
    tests = make_tests(cutout.examples)
    if tests.n_tests < rules.min_tests:
        return Refusal("too_few_tests", str(tests.n_tests))
    problem, solution = render_problem(cutout), render_solution(cutout)
    document = render_document(problem, solution, tests.code)
    if len(document.encode(errors="replace")) > rules.max_document_bytes:
        return Refusal("too_long", str(len(document)))
    if parse(document) is None:
        return Refusal("does_not_parse", function.name)
    return Exercise(function.name, problem, solution, tests.code, document, tests.n_tests)

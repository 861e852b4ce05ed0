"""Turns a file's text into exercises: each documented, self-contained function or class becomes a problem, a solution and tests.

in: content and path of a Python file, the files of its package, ExerciseRules   out: Exercise or Refusal per candidate, in the order of the
file. Tests come from the examples of the docstring; where these do not suffice and the rules allow it, from calls of the function in the
sandbox (recording.py).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import Field

from snowcoder.exercises.arguments import candidate_arguments
from snowcoder.exercises.cutout import Cutout, Refusal, cut_out, without_underscore
from snowcoder.exercises.docstring_prose import description
from snowcoder.exercises.doctests import make_tests, runs_as_doctest, show_examples
from snowcoder.exercises.functions import DocumentedFunction, extract_classes, extract_functions
from snowcoder.exercises.names import parse
from snowcoder.exercises.package import ModuleSource, Package
from snowcoder.exercises.recordable import why_not_recordable
from snowcoder.exercises.recording import RecordedCall, RecordingRules, record_calls, render_call, render_example
from snowcoder.exercises.render import Checks, render_document, render_solution
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits

MAX_SHOWN_CALLS = 3


class ExerciseRules(ParamsModel):
    """Which functions become exercises."""

    min_tests: int = Field(ge=1)
    """Checks that the tests of a function must make."""
    max_definitions: int = Field(ge=0)
    """Definitions of the same package that may be inlined, at most."""
    max_helper_ratio: float = Field(gt=0)
    """Bytes of inlined definitions for each byte of the function itself, at most."""
    max_document_bytes: int = Field(ge=256)
    """Bytes of the whole exercise file, at most."""
    min_statement_words: int = Field(ge=0)
    """Words that the docstring's prose must have; fewer state no problem."""
    varied_forms: bool
    """Whether statement and tests take several forms, chosen by a hash of the function; false: always one."""
    recording: RecordingRules | None
    """Records tests by calling functions whose examples do not suffice; null: no recording."""


@dataclass(frozen=True)
class Exercise:
    """problem: prose. solution: imports, helpers and the function. tests: code that fails if the solution is wrong. document: all three as
    one Python file. n_tests: checks in `tests`. recorded: the tests were recorded from the solution, not written by its author."""

    name: str
    problem: str
    solution: str
    tests: str
    document: str
    n_tests: int
    recorded: bool


def make_exercises(
    content: str, path: str, rules: ExerciseRules, package: Package | None = None, limits: SandboxLimits | None = None
) -> Iterator[Exercise | Refusal]:
    """One result per documented function (without recording: doctested function) and doctested class of a file.

    `path` is inside its distribution, so that its first part is the package. package: the files that may be inlined.
    limits: needed where rules.recording is set. Raises SandboxError if functions cannot be run here.
    """
    only_doctested = rules.recording is None
    if only_doctested and ">>>" not in content:
        return
    module = ModuleSource(content, path, package)
    candidates = [*extract_functions(content, only_with_examples=only_doctested), *(extract_classes(content) if ">>>" in content else [])]
    for candidate in candidates:
        try:
            yield make_exercise(module, candidate, package_of(path), rules, limits)
        except (ValueError, RecursionError):  # ast.unparse: a number of 5000 digits, a thousand brackets
            yield Refusal("cannot_be_rendered", candidate.name)


def package_of(path: str) -> str:
    """Import name of the package that a file belongs to: `toolz/itertoolz.py` and `src/toolz/itertoolz.py` -> `toolz`."""
    parts = path.removeprefix("src/").split("/")
    return parts[0].removesuffix(".py")


def make_exercise(
    module: ModuleSource, function: DocumentedFunction, package: str, rules: ExerciseRules, limits: SandboxLimits | None = None
) -> Exercise | Refusal:
    """The exercise of one function, or why there is none."""
    if function.name.startswith("test_"):
        return Refusal("is_a_test", function.name)
    if len(description(function.docstring).split()) < rules.min_statement_words:
        return Refusal("statement_too_short", function.name)
    doctested = _with_examples(module, function, package, rules)
    if isinstance(doctested, tuple):
        cutout, checks, recorded = *doctested, False
    else:
        found = _with_recorded_calls(module, function, package, rules, limits, doctested)
        if isinstance(found, Refusal):
            return found
        cutout, checks, recorded = *found, True
    if sum(map(len, cutout.definitions)) > rules.max_helper_ratio * len(cutout.function.source):
        return Refusal("mostly_helpers", function.name)
    variant = int(hashlib.sha256(function.source.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) if rules.varied_forms else 0
    problem, solution, tests, document = render_document(cutout, checks, variant)
    if len(document.encode(errors="replace")) > rules.max_document_bytes:
        return Refusal("too_long", str(len(document)))
    if parse(document) is None:
        return Refusal("does_not_parse", function.name)
    return Exercise(cutout.function.name, problem, solution, tests, document, checks.n_tests, recorded)


def _with_examples(
    module: ModuleSource, function: DocumentedFunction, package: str, rules: ExerciseRules
) -> tuple[Cutout, Checks] | Refusal:
    if not function.examples:
        return Refusal("no_examples", function.name)
    cutout = cut_out(module, function, package, rules.max_definitions)
    if isinstance(cutout, Refusal):
        return cutout
    cutout = without_underscore(cutout)
    tests = make_tests(cutout.examples)
    if tests.n_tests < rules.min_tests:
        return Refusal("too_few_tests", str(tests.n_tests))
    return cutout, Checks(
        code=tests.code,
        examples=show_examples(cutout.examples),
        n_tests=tests.n_tests,
        runs_as_doctest=runs_as_doctest(cutout.examples),
        only_doctest=tests.only_doctest,
    )


def _with_recorded_calls(
    module: ModuleSource,
    function: DocumentedFunction,
    package: str,
    rules: ExerciseRules,
    limits: SandboxLimits | None,
    instead_of: Refusal,
) -> tuple[Cutout, Checks] | Refusal:
    """Tests by running the function; `instead_of` says why its examples do not serve, and is the reason if it cannot be run either."""
    if rules.recording is None or limits is None:
        return instead_of
    bare = cut_out(module, replace(function, examples=()), package, rules.max_definitions)
    if isinstance(bare, Refusal):
        return bare
    solution = render_solution(bare, "")
    if reason := why_not_recordable(bare, solution):
        return Refusal(reason, function.name) if instead_of.reason == "no_examples" else instead_of
    examples = [example.source for example in function.examples]
    arguments = candidate_arguments(bare.function.source, examples, module.tree, rules.recording.max_arguments)
    cutout = without_underscore(bare)
    calls = record_calls(render_solution(cutout, ""), cutout.function.name, arguments, rules.recording, limits)
    if isinstance(calls, Refusal):
        return calls
    return cutout, recorded_checks(cutout.function.name, calls)


def recorded_checks(name: str, calls: list[RecordedCall]) -> Checks:
    """Recorded calls as tests."""
    shown = [call for call in calls if call.mark != "!"][:MAX_SHOWN_CALLS]
    plain = all(call.mark == "=" and "=" not in call.arguments.replace("==", "") for call in calls)
    return Checks(
        code="".join(f"{render_call(name, call)}\n" for call in calls),
        examples="".join(f"{render_example(name, call)}\n" for call in shown),
        n_tests=len(calls),
        table=tuple((call.arguments, call.text) for call in calls) if plain else (),
        runs_as_doctest=len(shown) == len(calls) and not any("{" in call.text or "\\" in call.arguments + call.text for call in calls),
    )

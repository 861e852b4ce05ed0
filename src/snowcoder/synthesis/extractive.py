"""The embedded teacher: each eligible function or class of a seed file becomes an exercise file. No model: rules, and runs in the sandbox.

It adds no knowledge that the seed lacks, so that it tests the recipe's machinery and its effect of format, not of a stronger model.
"""

from collections.abc import Mapping

from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.exercise import Exercise, ExerciseRules, make_exercises
from snowcoder.exercises.package import Package
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.synthesis.teacher import Document, Seed


class ExtractiveTeacher:
    """A Teacher of fixed rules. packages: repository -> {path: text} of the train files that may be inlined."""

    name = "extractive"
    # raised with every change of what an exercise looks like
    prompt_version = "extractive-2"

    def __init__(self, rules: ExerciseRules, limits: SandboxLimits, packages: Mapping[str, Mapping[str, str]]) -> None:
        self._rules = rules
        self._limits = limits
        self._packages = {repository: Package(files) for repository, files in packages.items()}

    def documents(self, seed: Seed) -> list[Document | Refusal]:
        """One result per candidate, in the order of the file. Raises SandboxError."""
        package = self._packages.get(seed.repository)
        results = make_exercises(seed.content, seed.path, self._rules, package, self._limits)
        return [result if isinstance(result, Refusal) else _document(result) for result in results]


def _document(exercise: Exercise) -> Document:
    return Document(
        name=exercise.name,
        content=exercise.document,
        problem=exercise.problem,
        solution=exercise.solution,
        tests=exercise.tests,
        n_tests=exercise.n_tests,
        tests_from="recording" if exercise.recorded else "author",
        finish_reason="stop",
    )

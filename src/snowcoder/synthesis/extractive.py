"""The embedded teacher: each eligible doctested function of a seed file becomes an exercise file. Static: nothing is run or generated.

It adds no knowledge that the seed lacks, so that it tests the recipe's machinery and its effect of format, not of a stronger model.
"""

from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.exercise import ExerciseRules, make_exercises
from snowcoder.synthesis.teacher import Document, Seed


class ExtractiveTeacher:
    """A Teacher of fixed rules."""

    def __init__(self, rules: ExerciseRules) -> None:
        self._rules = rules

    @property
    def prompt_version(self) -> str:
        """Raised with every change of what an exercise looks like."""
        return "extractive-1"

    def documents(self, seed: Seed) -> list[Document | Refusal]:
        """One result per doctested function, in the order of the file."""
        return [
            result
            if isinstance(result, Refusal)
            else Document(result.name, result.document, result.problem, result.solution, result.tests, result.n_tests)
            for result in make_exercises(seed.content, seed.path, self._rules)
        ]

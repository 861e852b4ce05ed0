"""Runs exercise files in the sandbox: an exercise counts only if its own tests pass there."""

from collections.abc import Sequence

from snowcoder.exercises.exercise import Exercise
from snowcoder.sandbox.program import Outcome, SandboxLimits, run_programs


def verify_exercises(exercises: Sequence[Exercise], limits: SandboxLimits, label: str = "exercises") -> list[Outcome]:
    """How each exercise file ended, in order."""
    return run_programs([exercise.document for exercise in exercises], limits, label)

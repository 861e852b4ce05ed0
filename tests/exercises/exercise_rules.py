"""Rules and limits under which the tests make and run exercises."""

from snowcoder.exercises.exercise import ExerciseRules
from snowcoder.sandbox.program import SandboxLimits

RULES = ExerciseRules(
    min_tests=1,
    max_definitions=4,
    max_helper_ratio=8.0,
    max_document_bytes=4000,
    min_statement_words=0,
    varied_forms=False,
    recording=None,
)
LIMITS = SandboxLimits(timeout_s=30.0, cpu_s=10, memory_bytes=2**29)

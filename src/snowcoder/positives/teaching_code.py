"""Makes positives from wheels: teaching-quality files, and problem/solution pairs from their doctested functions.

in: files of distributions chosen for teaching-quality code, pinned in data/positives.lock
out: Gathered rows: high_quality, documented Python files; instruction, a problem statement and its solution as one Python text, whose path
is `<module>/<function>.py`
"""

import ast
from collections.abc import Sequence
from functools import partial

from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.exercise import Exercise, ExerciseRules, make_exercises
from snowcoder.exercises.library_paths import refuse_path
from snowcoder.exercises.names import parse
from snowcoder.exercises.render import render_instruction
from snowcoder.pipeline.execution import map_items
from snowcoder.positives.kinds import FetchPositivesParams, Gathered, PositiveRows
from snowcoder.sandbox.program import check_sandbox, run_programs
from snowcoder.source_files.records import SourceFile, make_source_file


def gather_teaching_code(files: Sequence[SourceFile], params: FetchPositivesParams) -> Gathered:
    """Both kinds. Raises SandboxError if the pairs cannot be verified here."""
    check_sandbox()
    teaching = teaching_files(files, params)
    pairs, origins = instruction_pairs(list(teaching.kept.values()), params)
    return Gathered({"high_quality": teaching, "instruction": pairs}, origins)


def teaching_files(files: Sequence[SourceFile], params: FetchPositivesParams) -> PositiveRows:
    """The files that pass for teaching-quality code."""
    kind = PositiveRows(rows_in=len(files))
    for file in sorted(files, key=lambda file: file.file_id):
        reason = refuse_file(file, params)
        if reason:
            kind.dropped[reason] += 1
        else:
            kind.kept[file.file_id] = file
    return kind


def refuse_file(file: SourceFile, params: FetchPositivesParams) -> str:
    """Why a file is no positive: not_python, is_a_test, setup_file, too_small, does_not_parse, few_docstrings; '' if it is one."""
    if file.language != "python":
        return "not_python"
    reason = refuse_path(file.path)
    if reason:
        return reason
    if file.n_bytes < params.min_file_bytes:
        return "too_small"
    tree = parse(file.content)
    if tree is None:
        return "does_not_parse"
    return "" if documented_fraction(tree) >= params.min_documented_fraction else "few_docstrings"


def documented_fraction(tree: ast.Module) -> float:
    """Share of public functions, methods and classes with a docstring; 0.0 for a file without any."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    public = [node for node in nodes if not node.name.startswith("_")]
    return sum(1 for node in public if ast.get_docstring(node)) / len(public) if public else 0.0


def instruction_pairs(files: Sequence[SourceFile], params: FetchPositivesParams) -> tuple[PositiveRows, dict[str, str]]:
    """(verified pairs, their file_id -> the file_id of their file)."""
    kind, origins = PositiveRows(), {}
    exercises: list[tuple[SourceFile, Exercise]] = []
    made = map_items(partial(_exercises_of, rules=params.exercises), [(file.content, file.path) for file in files], "positives: exercises")
    for file, results in zip(files, made, strict=True):
        kind.rows_in += len(results)
        kind.dropped.update(result.reason for result in results if isinstance(result, Refusal))
        exercises += [(file, result) for result in results if isinstance(result, Exercise)]
    outcomes = run_programs([exercise.document for _, exercise in exercises], params.sandbox, "positives: sandbox")
    for (file, exercise), outcome in zip(exercises, outcomes, strict=True):
        pair = _pair(file, exercise)
        if not outcome.passed:
            kind.dropped[f"sandbox_{outcome.status}"] += 1
        elif pair.file_id in kind.kept:
            kind.dropped["defined_twice"] += 1
        else:
            kind.kept[pair.file_id], origins[pair.file_id] = pair, file.file_id
    return kind, origins


def _exercises_of(file: tuple[str, str], rules: ExerciseRules) -> list[Exercise | Refusal]:
    return list(make_exercises(*file, rules))


def _pair(file: SourceFile, exercise: Exercise) -> SourceFile:
    return make_source_file(
        source="instruction",
        repository=file.repository,
        path=f"{file.path.removesuffix('.py')}/{exercise.name}.py",
        language="python",
        content=render_instruction(exercise.problem, exercise.solution),
        licence=file.licence,
        download_rank=file.download_rank,
        revision=file.revision,
    )

"""A file of samples from any model: JSON lines with `task_id` and `solution` (a whole program) or `completion` (what follows the prompt).

in: path, problems   out: Samples in the order of the file; the problems that have none
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError, SourceError


@dataclass(frozen=True, slots=True)
class Sample:
    """index: number of the sample among those of its problem, from 0 in the order of the file."""

    problem: Problem
    index: int
    solution: str


def read_samples(path: Path, problems: Sequence[Problem]) -> list[Sample]:
    """All samples. A text that is no program is one that fails. Raises SourceError naming the line that is no sample of these problems."""
    known = {problem.problem_id: problem for problem in problems}
    counts: Counter[str] = Counter()
    samples = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        problem, solution = _parse(line, f"{path}: line {number}", known)
        samples.append(Sample(problem, counts[problem.problem_id], solution))
        counts[problem.problem_id] += 1
    if not samples:
        raise EmptyResultError(f"{path}: no sample; allowed: JSON lines with task_id and solution")
    return samples


def problems_without_sample(samples: Sequence[Sample], problems: Sequence[Problem]) -> list[str]:
    """Their ids: each counts as one failed sample."""
    sampled = {sample.problem.problem_id for sample in samples}
    return [problem.problem_id for problem in problems if problem.problem_id not in sampled]


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")
    except OSError as error:
        raise SourceError(f"{path}: samples cannot be read: {error.strerror}") from error


def _parse(line: bytes, place: str, known: dict[str, Problem]) -> tuple[Problem, str]:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise SourceError(f"{place}: not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("task_id"), str):
        raise SourceError(f"{place}: field task_id: allowed: the id of a problem, as text (found: {line[:80].decode(errors='replace')})")
    problem = known.get(row["task_id"])
    if problem is None:
        raise SourceError(
            f"{place}: field task_id: found {row['task_id']!r}; allowed: problems of the benchmark, such as {next(iter(known))!r}"
        )
    for field, start in (("solution", ""), ("completion", problem.prompt)):
        if isinstance(row.get(field), str):
            return problem, start + row[field]
    raise SourceError(f"{place}: field solution: allowed: text (fields found: {', '.join(sorted(row))})")

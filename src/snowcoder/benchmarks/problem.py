"""One problem of a benchmark, and the table of all problems.

Folder data/fetch_benchmarks: rows of PROBLEM_SCHEMA, sorted by benchmark and problem number; hashes.json {benchmark: sha256 of its
source file}.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from snowcoder.errors import SourceError
from snowcoder.storage.shards import iterate_rows, write_table


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem.

    prompt + canonical_solution is a program that defines `entry_point`.
    test: program text. Of grader `program`: run after the solution, it defines `check(candidate)`, and may contain its own assertions. Of
    grader `unittest`: it defines the class TestCases.
    grader: how a solution is judged: `program` (by `test`), `evalplus` or `evoeval` (by `inputs`, against the results of the
    canonical solution), `unittest`.
    inputs: JSON, as the grader's own module tells (evalplus_format.py, evoeval.py); empty for the others.
    instruction: the task in words, for models that follow instructions; empty where a benchmark has none.
    """

    benchmark: str
    problem_id: str
    prompt: str
    canonical_solution: str
    test: str
    entry_point: str
    grader: str = "program"
    inputs: str = ""
    instruction: str = ""


PROBLEM_SCHEMA = pa.schema([(name, pa.string()) for name in Problem.__slots__])


def write_problems(folder: Path, problems: Iterable[Problem]) -> None:
    """Write the table in its one order. Raises SourceError if an identity occurs twice."""
    ordered = sort_problems(problems)
    identities = [(problem.benchmark, problem.problem_id) for problem in ordered]
    if len(set(identities)) != len(identities):
        twice = next(identity for identity in identities if identities.count(identity) > 1)
        raise SourceError(f"{folder}: problem {twice[1]} of {twice[0]} occurs twice; check the benchmark's source file")
    write_table(folder, [pa.Table.from_pylist([asdict(problem) for problem in ordered], PROBLEM_SCHEMA)], PROBLEM_SCHEMA)


def read_problems(folder: Path) -> list[Problem]:
    """All problems, sorted by benchmark, then by problem number (HumanEval/2 before HumanEval/10)."""
    return sort_problems(Problem(**row) for row in iterate_rows(folder, list(PROBLEM_SCHEMA.names)))


def sort_problems(problems: Iterable[Problem]) -> list[Problem]:
    """The order of every list of problems: numbers within an identity compare as numbers."""
    return sorted(problems, key=lambda problem: (problem.benchmark, _natural(problem.problem_id), problem.problem_id))


def _natural(text: str) -> list[tuple[int, int, str]]:
    # isdigit alone accepts signs such as a superscript two, which int() does not
    return [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in re.split(r"([0-9]+)", text)]

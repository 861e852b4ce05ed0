"""The kinds of positives for the annotators, and the rows of one kind.

Two kinds: high_quality (files of code) and instruction (a problem and its solution as one text). Either both come out of wheels (see
teaching_code), or each is a list of data sets whose rows are taken as they are, within the limits.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from snowcoder.corpus.repository_limits import FileLimits, LeftOut
from snowcoder.corpus.sources import AnyRowSource, WheelSource
from snowcoder.exercises.exercise import ExerciseRules
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.source_files.records import SourceFile


class DatasetsSource(ParamsModel):
    """Data sets by kind of positive: of the Hugging Face hub at pinned revisions, or files of JSON lines or Parquet."""

    kind: Literal["datasets"]
    """Data sets of the hub, or files of JSON lines or Parquet."""
    high_quality: list[AnyRowSource] = Field(min_length=1)
    """Data sets of high-quality code files."""
    instruction: list[AnyRowSource] = Field(min_length=1)
    """Data sets of instruction pairs; columns.statement: the problem; columns.content: the solution."""

    def inputs(self) -> list[Path]:
        """Small files whose content is part of the result's identity."""
        return []


class FetchPositivesParams(FileLimits):
    """What the positives are made of. The limits of FileLimits hold per distribution, or per repository of a data set, where it names any.

    Of wheels, python alone is taken. Data sets use none of min_file_bytes and the fields below it but max_instructions_per_repository.
    """

    source: Annotated[WheelSource | DatasetsSource, Field(discriminator="kind")]
    """Where positives come from: wheels, or data sets by kind."""
    only_repositories: list[str] | None = Field(default=None, min_length=1)
    """Repositories to take instead of all, for small runs; null: all."""
    min_file_bytes: int = Field(ge=0)
    """Bytes that a file must have; smaller ones are re-exports and constants."""
    min_documented_fraction: float = Field(ge=0, le=1)
    """Share of a file's public functions and classes that must have a docstring."""
    max_instructions_per_repository: int = Field(gt=0)
    """Instruction pairs of one repository, at most; a hash of the text decides which."""
    exercises: ExerciseRules
    """Which functions become instruction pairs."""
    sandbox: SandboxLimits
    """What the tests of a pair may use when they are run."""


@dataclass
class PositiveRows:
    """Rows of one kind: kept ones by file_id, and why the others went."""

    rows_in: int = 0
    kept: dict[str, SourceFile] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, file_id: str, reason: str) -> None:
        """Take a row out and count it."""
        if self.kept.pop(file_id, None) is not None:
            self.dropped[reason] += 1


@dataclass
class Gathered:
    """kinds: rows by kind, high_quality first. origins: file_id of a pair -> file_id of the file that it was made from."""

    kinds: dict[str, PositiveRows]
    origins: dict[str, str] = field(default_factory=dict)


def gather_datasets(source: DatasetsSource, params: FetchPositivesParams, downloads: Path, skipped: LeftOut) -> Gathered:
    """Every row of the data sets that is a file within the limits. A file appears once, in the first kind that has it."""
    high_quality = _take(source.high_quality, params, downloads, skipped, set())
    instruction = _take(source.instruction, params, downloads, skipped, set(high_quality.kept))
    return Gathered({"high_quality": high_quality, "instruction": instruction})


def _take(sources: Iterable[AnyRowSource], params: FetchPositivesParams, downloads: Path, skipped: LeftOut, seen: set[str]) -> PositiveRows:
    rows = PositiveRows()
    for source in sources:
        for file in source.files(params, params.only_repositories, downloads, skipped):
            rows.rows_in += 1
            if file.file_id in seen or file.file_id in rows.kept:
                rows.dropped["duplicate_id"] += 1
            else:
                rows.kept[file.file_id] = file
    return rows

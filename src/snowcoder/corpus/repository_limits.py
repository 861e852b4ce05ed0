"""Limits the files taken from one repository: size and number, and the order in which the limits fill up.

in: candidate files of one repository  out: the files taken, and how many were left out, by reason.

The order is a hash of content and path, never a position: a larger limit takes a superset of what a smaller one takes, and one new file
does not change which of the others are taken.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import Field, field_validator, model_validator

from snowcoder.pipeline.params import ParamsModel
from snowcoder.seeding import unit_hash
from snowcoder.source_files.languages import LANGUAGES, name_language
from snowcoder.source_files.records import SourceFile

# Trees of other people's code: it belongs to other repositories, under other licences.
VENDORED_FOLDERS = frozenset(
    {"_vendor", "_vendored", "bower_components", "node_modules", "site-packages", "third_party", "thirdparty", "vendor", "vendored"}
)


# Examples that are kept of one reason; a reason of more distinct values shows the commonest of the first ones
MAX_EXAMPLES = 1000
MAX_EXAMPLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file or row is left out. example: the value that is the cause; empty where the reason says it all."""

    reason: str
    example: str = ""


class LeftOut(Counter[str]):
    """What a source leaves out, by reason.

    n_seen: everything it met, taken or not.
    examples: by reason, how often each value was the cause.
    files_not_read: files of a data set's folder that no reader takes, by extension.
    values_ignored: unusable values in rows that are still taken, by column.
    notes: what a person should know, a sentence each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.n_seen = 0
        self.examples: dict[str, Counter[str]] = {}
        self.files_not_read: Counter[str] = Counter()
        self.values_ignored: Counter[str] = Counter()
        self.notes: list[str] = []

    def leave_out(self, refused: Refused) -> None:
        """Count one file or row, and its example."""
        self[refused.reason] += 1
        if refused.example:
            self._keep_example(refused.reason, refused.example[:MAX_EXAMPLE_CHARS], 1)

    def add(self, other: "LeftOut") -> None:
        """Count all that another has left out."""
        self.update(other)
        self.n_seen += other.n_seen
        for reason, examples in other.examples.items():
            for example, count in examples.items():
                self._keep_example(reason, example, count)

    def _keep_example(self, reason: str, example: str, count: int) -> None:
        examples = self.examples.setdefault(reason, Counter())
        if example in examples or len(examples) < MAX_EXAMPLES:
            examples[example] += count


class FileLimits(ParamsModel):
    """What may be taken from one repository."""

    max_files_per_repository: int = Field(gt=0)
    """Files of one repository, at most; a hash of content and path decides which."""
    max_bytes_per_repository: int = Field(gt=0)
    """Bytes of one repository, at most; a hash of content and path decides which files."""
    max_file_bytes: int = Field(gt=0)
    """Bytes of a file, at most; larger files are left out unread."""
    languages: list[str] = Field(min_length=1)
    """Names of snowcoder.source_files.languages, or aliases that name_language knows; files of other languages are left out."""

    @field_validator("languages")
    @classmethod
    def _canonical(cls, languages: list[str]) -> list[str]:
        names = {language: name_language(language) for language in languages}
        unknown = sorted(language for language, name in names.items() if name is None)
        if unknown:
            allowed = f"{', '.join(LANGUAGES)}, or their usual names and extensions (C++, py)"
            raise ValueError(f"unknown {', '.join(unknown)}; allowed: {allowed}")
        return list(dict.fromkeys(name for name in names.values() if name is not None))

    @model_validator(mode="after")
    def _check(self) -> "FileLimits":
        if self.max_file_bytes > self.max_bytes_per_repository:
            raise ValueError(
                f"max_file_bytes: found {self.max_file_bytes}; allowed: at most max_bytes_per_repository {self.max_bytes_per_repository}, "
                "or one file could exceed a repository's share"
            )
        return self


def is_vendored(path: str) -> bool:
    """Whether a file is in a tree of vendored code."""
    return not VENDORED_FOLDERS.isdisjoint(PurePosixPath(path).parts[:-1])


def take_within_limits(files: Iterable[SourceFile], limits: FileLimits) -> tuple[list[SourceFile], Counter[str]]:
    """(files taken, sorted by path; left out by reason). Filling stops at the first file that does not fit: size does not decide."""
    ordered = sorted(files, key=lambda file: (unit_hash(0, file.content_sha256, file.path), file.path))
    taken: list[SourceFile] = []
    n_bytes = 0
    for file in ordered:
        if len(taken) == limits.max_files_per_repository:
            return _result(taken, "over_files_per_repository", len(ordered))
        n_bytes += file.n_bytes
        if n_bytes > limits.max_bytes_per_repository:
            return _result(taken, "over_bytes_per_repository", len(ordered))
        taken.append(file)
    return _result(taken, "", len(ordered))


def _result(taken: list[SourceFile], reason: str, n_candidates: int) -> tuple[list[SourceFile], Counter[str]]:
    left_out = n_candidates - len(taken)
    return sorted(taken, key=lambda file: file.path), Counter({reason: left_out} if left_out else {})

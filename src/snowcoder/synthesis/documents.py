"""Records of synthesis: the seed file that a document is made of, and the document.

out: rows of DOCUMENT_SCHEMA; for each part of a seed that gave no document a Refusal, with an example for the report
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from snowcoder.source_files.records import text_columns

EXAMPLE_CHARACTERS = 100
SEED_FIELDS = ("file_id", "repository", "path", "language", "licence", "content")
DOCUMENT_SCHEMA = pa.schema(
    [
        *text_columns(
            "document_id", "seed_file_id", "repository", "licence", "language", "name", "content", "problem", "solution", "tests"
        ),
        *(("n_tests", pa.int32()), *text_columns("tests_from", "finish_reason", "teacher", "prompt_version")),
        *(("seed_score", pa.float64()), ("seed_quarter", pa.int8())),
    ]
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A top-scored file of the train split; repository and licence are handed on to what is made of it.

    quarter: 1 for the best quarter of the seeds, to 4.
    """

    file_id: str
    repository: str
    path: str
    language: str
    licence: str
    content: str
    score: float
    quarter: int


def make_seed(row: Mapping[str, Any], score: float, quarter: int) -> Seed:
    """The seed of a row of data/split_files."""
    assert row["split"] == "train", f"{row['file_id']}: a seed must be in the train split, not {row['split']}"
    return Seed(score=score, quarter=quarter, **{name: row[name] for name in SEED_FIELDS})


@dataclass(frozen=True, slots=True)
class SyntheticDocument:
    """A problem-solving-oriented code file.

    content: all of it; problem, solution, tests: its parts, '' where it has none; name: the function or class it is about, or ''.
    tests_from: `author` (examples of the code's author), `recording` (of what the solution does), `model`, or `` without tests.
    finish_reason: `stop`, or what ended a model's answer before its end.
    """

    name: str
    content: str
    problem: str
    solution: str
    tests: str
    n_tests: int
    tests_from: str
    finish_reason: str

    def row(self, seed: Seed, teacher: str, prompt_version: str) -> dict[str, Any]:
        """A row of DOCUMENT_SCHEMA. teacher: the kind of engine; prompt_version: of the wording, or of the rules, so that a change shows.

        document_id: 32 hex digits over prompt version, seed and content.
        """
        identity = hashlib.sha256("\0".join((prompt_version, seed.file_id, self.content)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        origin = {"seed_file_id": seed.file_id, "repository": seed.repository, "licence": seed.licence, "language": seed.language}
        made = {"document_id": identity, "teacher": teacher, "prompt_version": prompt_version}
        return asdict(self) | origin | made | {"seed_score": seed.score, "seed_quarter": seed.quarter}


def refusal_example(seed: Seed, text: str) -> dict[str, str]:
    """Where a seed gave no document, for the report. text: what shows why."""
    return {"repository": seed.repository, "path": seed.path, "detail": " ".join(text.split())[:EXAMPLE_CHARACTERS]}

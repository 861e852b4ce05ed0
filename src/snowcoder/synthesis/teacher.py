"""What a teacher is: something that turns seed files into documents. One implementation per engine.

in: Seed   out: Document records, and the reason for each part of a seed that gave none
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import pyarrow as pa

from snowcoder.exercises.cutout import Refusal

DOCUMENT_SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("seed_file_id", pa.string()),
        ("repository", pa.string()),
        ("licence", pa.string()),
        ("language", pa.string()),
        ("name", pa.string()),
        ("content", pa.string()),
        ("problem", pa.string()),
        ("solution", pa.string()),
        ("tests", pa.string()),
        ("n_tests", pa.int32()),
        ("prompt_version", pa.string()),
        ("seed_score", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A top-scored file of the train split; repository and licence are handed on to what is made of it."""

    file_id: str
    repository: str
    path: str
    language: str
    licence: str
    content: str
    score: float


@dataclass(frozen=True, slots=True)
class Document:
    """A problem-solving-oriented code file. content: all of it; problem, solution, tests: its parts; name: the function it is about."""

    name: str
    content: str
    problem: str
    solution: str
    tests: str
    n_tests: int

    def row(self, seed: Seed, prompt_version: str) -> dict[str, Any]:
        """A row of DOCUMENT_SCHEMA. document_id: 32 hex digits over prompt version, seed and content."""
        identity = hashlib.sha256("\0".join((prompt_version, seed.file_id, self.content)).encode()).hexdigest()[:32]
        origin = {"seed_file_id": seed.file_id, "repository": seed.repository, "licence": seed.licence, "language": seed.language}
        return asdict(self) | origin | {"document_id": identity, "prompt_version": prompt_version, "seed_score": seed.score}


class Teacher(Protocol):
    """Turns one seed into documents."""

    @property
    def prompt_version(self) -> str:
        """Names the wording (or the rules) that made a document, so that a change of it shows in the data."""

    def documents(self, seed: Seed) -> list[Document | Refusal]:
        """What became of `seed`, in a fixed order. Raises EngineError if the engine fails."""

"""Every answer of a model, kept as it came, so that a run that is killed or repeated asks for none of them again.

in: responses, one at a time   out: a JSONL file, one response a line: the fields of StoredResponse, and `request_id`

The file only grows: a response is written to it as soon as it is there, handed to the operating system at once (a killed process loses
none) and forced to disk at least once a second (a failing machine loses a second's). A last line that was cut short is taken off at the
next opening; any other line that cannot be read is an error. One process at a time holds a file.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Chat, Completion, Prompt, Sampling
from snowcoder.pipeline.console import say

FSYNC_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. model: its name and revision, or a hash of its files. prompt_version: the wording that made `prompt`. draw: tells
    several draws for the same prompt apart. Two requests are the same if all of these are.
    """

    model: str
    prompt_version: str
    prompt: Prompt
    sampling: Sampling
    draw: int

    def fields(self) -> dict[str, Any]:
        """JSON-serialisable. Seed and top_p of greedy decoding, which change nothing, are left out of what tells requests apart."""
        prompt = asdict(self.prompt) if isinstance(self.prompt, Chat) else self.prompt
        sampling = asdict(self.sampling) | {"stop": list(self.sampling.stop)}
        if self.sampling.temperature == 0:
            sampling |= {"seed": 0, "top_p": 1.0}
        identity = {"model": self.model, "prompt_version": self.prompt_version}
        return identity | {"prompt": prompt, "sampling": sampling, "draw": self.draw}

    @property
    def request_id(self) -> str:
        """32 hex digits over all fields."""
        return hashlib.sha256(json.dumps(self.fields(), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A request, what it was asked for (`origin`, e.g. the file_id of a seed), and its answer."""

    request: Request
    origin: str
    completion: Completion

    def line(self) -> dict[str, Any]:
        """As it stands in the file."""
        identity = {"request_id": self.request.request_id, "origin": self.origin}
        return identity | self.request.fields() | {"completion": asdict(self.completion)}


class ResponseStore:
    """The responses in one file; in memory only their places. A context manager: it holds the file's lock while it is open. Raises
    EngineError for a broken file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))
        self._offsets: dict[str, int] = {}
        self._synced = 0.0

    def __enter__(self) -> "ResponseStore":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            say(f"{self.path}: another process is asking; waiting for its responses")
            self._lock.acquire()
        self._file = open(self.path, "a+b")  # closed in __exit__
        try:
            self._read_all()
        except EngineError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._sync()
        self._file.close()
        self._lock.release()

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._offsets

    def lines(self) -> Iterator[dict[str, Any]]:
        """All that is stored, in the order of arrival."""
        for offset in list(self._offsets.values()):
            yield self._line_at(offset)

    def get(self, request_id: str) -> Completion:
        """The stored completion. Raises KeyError if there is none."""
        return Completion(**self._line_at(self._offsets[request_id])["completion"])

    def append(self, response: StoredResponse) -> None:
        """Keep a response. Raises EngineError if its request is stored already: a stored response never changes."""
        line = response.line()
        if line["request_id"] in self._offsets:
            raise EngineError(f"{self.path}: request {line['request_id']} is answered already; this is a fault of the caller")
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")
        self._file.flush()
        self._offsets[line["request_id"]] = offset
        if time.monotonic() - self._synced >= FSYNC_EVERY_S:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _line_at(self, offset: int) -> dict[str, Any]:
        self._file.seek(offset)
        line: dict[str, Any] = json.loads(self._file.readline())
        return line

    def _read_all(self) -> None:
        self._file.seek(0)
        offset = 0
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                say(f"{self.path}: line {number} was cut short by a kill; it is taken off and asked for again")
                self._file.truncate(offset)
                break
            try:
                self._offsets.setdefault(json.loads(line)["request_id"], offset)
            except (ValueError, KeyError, TypeError) as error:
                raise EngineError(
                    f"{self.path}: line {number}: not a stored response ({error}); restore the file, or move it away to ask for all again"
                ) from error
            offset += len(line)

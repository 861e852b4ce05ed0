"""Keeps every answer of a model, so that a run that is killed or repeated never asks for it again.

in: prompts, and an engine that answers them   out: completions, from the store or new
     a journal (storage/journal.py) of one response a line: `request_id`, `origin`, the fields of Request, `completion`

A response is stored as soon as it arrives and before it is handed on. It is with the operating system at once (a killed process loses
none) and on disk at most a second later (a failing machine loses a second's). What is no completion is neither stored nor read.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, get_args

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Chat, Completion, Engine, FinishReason, Prompt, Sampling
from snowcoder.pipeline.console import say
from snowcoder.storage.journal import Journal, read_entry, read_journal

FSYNC_EVERY_S = 1.0
# of a stored completion; older lines lack what later versions have added
REQUIRED = {one.name for one in fields(Completion) if one.default is MISSING}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. model: its name and revision, or a hash of its files. prompt_version: the wording that made `prompt`. draw:
    distinguishes several draws for the same prompt. Two requests are the same if all of these are.
    """

    model: str
    prompt_version: str
    prompt: Prompt
    sampling: Sampling
    draw: int

    def fields(self) -> dict[str, Any]:
        """JSON-serialisable. Seed and top_p of greedy decoding, which change nothing, do not distinguish requests."""
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


class ResponseStore:
    """The responses in one file; in memory only their places. A context manager: one process at a time holds the file.

    Raises ShardError for a line that is not JSON, EngineError for one that is not a response, or whose completion is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offsets: dict[str, int] = {}

    def __enter__(self) -> "ResponseStore":
        try:
            self._journal = Journal(self.path, wait=False, fsync_every_s=FSYNC_EVERY_S)
        except BlockingIOError:
            say(f"{self.path}: another process is using this store; waiting for its responses")
            self._journal = Journal(self.path, fsync_every_s=FSYNC_EVERY_S)
        if self._journal.torn_bytes:
            say(f"{self.path}: a kill cut the last line short; it is removed, and its request is asked again")
        try:
            self._offsets = self._read_offsets()
        except BaseException:
            self._journal.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._journal.close()

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._offsets

    def lines(self) -> Iterator[dict[str, Any]]:
        """All that is stored, in the order of arrival."""
        for offset in list(self._offsets.values()):
            yield read_entry(self.path, offset)

    def get(self, request_id: str) -> Completion:
        """The stored completion. Raises KeyError if there is none."""
        return parse_completion(read_entry(self.path, self._offsets[request_id])["completion"], f"{self.path}: request {request_id}")

    def append(self, request: Request, origin: str, completion: Completion) -> None:
        """Keep the answer to a request. origin: what it was asked for, e.g. the file_id of a seed. Raises EngineError if the request is
        stored already, as a stored response never changes, and for an answer that is none.
        """
        identity = {"request_id": request.request_id, "origin": origin}
        if identity["request_id"] in self._offsets:
            raise EngineError(f"{self.path}: request {identity['request_id']} is already answered; this is a bug in the caller")
        parse_completion(asdict(completion), f"{self.path}: request {identity['request_id']}, not stored")
        self._offsets[identity["request_id"]] = self._journal.append(identity | request.fields() | {"completion": asdict(completion)})

    def _read_offsets(self) -> dict[str, int]:
        offsets: dict[str, int] = {}
        start = 0
        for number, (line, following) in enumerate(read_journal(self.path), start=1):
            if not isinstance(line.get("request_id"), str) or "completion" not in line:
                raise EngineError(f"{self.path}: the line at byte {start} is no response; restore the file, or move it away to ask again")
            removal = f"sed -i {number}d {shlex.quote(str(self.path))}"
            parse_completion(line["completion"], f"{self.path}: line {number} (`{removal}` removes it, to ask again)")
            offsets.setdefault(line["request_id"], start)
            start = following
        return offsets


def parse_completion(stored: Any, place: str) -> Completion:
    """The completion of these fields; one that has a default may be missing. Raises EngineError naming the place, the field, what was found
    and what is allowed.
    """
    if not isinstance(stored, dict) or not REQUIRED <= stored.keys() <= set(Completion.__slots__):
        found = ", ".join(map(str, stored)) if isinstance(stored, dict) else type(stored).__name__
        raise EngineError(f"{place}: completion: found {found}; allowed: a mapping with {', '.join(Completion.__slots__)}")
    counts = ["n_tokens", *(["n_prompt_tokens"] if stored.get("n_prompt_tokens") is not None else [])]
    checks = {
        "text": (isinstance(stored["text"], str), "text"),
        "finish_reason": (stored["finish_reason"] in get_args(FinishReason), ", ".join(get_args(FinishReason))),
        **{name: (type(stored[name]) is int and stored[name] >= 0, "a whole number from 0") for name in counts},
    }
    for name, (is_right, allowed) in checks.items():
        if not is_right:
            raise EngineError(f"{place}: completion.{name}: found {type(stored[name]).__name__} {stored[name]!r:.40}; allowed: {allowed}")
    return Completion(**stored)


class StoredEngine(Engine):
    """An engine with a memory: asks the engine behind it only for what `store`, which is open, does not hold.

    open_engine: gives the engine; called at the first request that is not stored, so that a run with all its answers loads no model.
    model, prompt_version: see Request. asked: requests that the engine has answered so far; reused: those that it did not have to.
    """

    def __init__(self, open_engine: Callable[[], Engine], store: ResponseStore, model: str, prompt_version: str) -> None:
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._store = store
        self._model = model
        self._prompt_version = prompt_version
        self.asked = 0
        self.reused = 0

    def complete(
        self, prompts: Sequence[Prompt], sampling: Sampling, draws: Sequence[int], origins: Sequence[str] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        """What is stored first, then what is new, as it comes. origins: what each prompt was made of. Two prompts that are the same
        request are asked once.
        """
        requests = [self.request(prompt, sampling, draw) for prompt, draw in zip(prompts, draws, strict=True)]
        places: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            places.setdefault(request.request_id, []).append(index)
        new = [indices for request_id, indices in places.items() if request_id not in self._store]
        for request_id, indices in places.items():
            if request_id in self._store:
                self.reused += 1
                completion = self._store.get(request_id)
                yield from ((index, completion) for index in indices)
        firsts = [indices[0] for indices in new]
        if not firsts:
            return
        self._engine = self._engine or self._open_engine()
        answers = self._engine.complete([prompts[index] for index in firsts], sampling, [draws[index] for index in firsts])
        for place, completion in answers:
            first = firsts[place]
            self._store.append(requests[first], origins[first] if origins else "", completion)
            self.asked += 1
            yield from ((index, completion) for index in new[place])

    def close(self) -> None:
        """Close the engine, if it was opened."""
        if self._engine is not None:
            self._engine.close()

    def request(self, prompt: Prompt, sampling: Sampling, draw: int) -> Request:
        """As it is stored."""
        return Request(self._model, self._prompt_version, prompt, sampling, draw)

"""An engine with a memory: asks the engine behind it only for what its store does not hold.

in: prompts   out: completions, from the store or new; new ones are stored before they are handed on
"""

from collections.abc import Callable, Iterator, Sequence

from snowcoder.inference.engine import Completion, Engine, Prompt, Sampling
from snowcoder.inference.engines.response_store import Request, ResponseStore, StoredResponse


class StoredEngine(Engine):
    """Puts `store`, which is open, before an engine.

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
            self._store.append(StoredResponse(requests[first], origins[first] if origins else "", completion))
            self.asked += 1
            yield from ((index, completion) for index in new[place])

    def request(self, prompt: Prompt, sampling: Sampling, draw: int) -> Request:
        """As it is stored."""
        return Request(self._model, self._prompt_version, prompt, sampling, draw)

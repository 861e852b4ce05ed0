"""An engine that returns scripted completions: for tests, and to score texts from elsewhere.

in: a mapping prompt -> text   out: completions, cut at stop strings as a model's are
"""

from collections.abc import Iterator, Mapping, Sequence

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Completion, Engine, Prompt, Sampling, cut_at_stop


class ScriptedEngine(Engine):
    """Completions by prompt (of a Chat: what the user says); one character counts as one token.

    by_part: the script's keys are parts of prompts; the first that a prompt contains answers it.
    """

    def __init__(self, script: Mapping[str, str], by_part: bool = False) -> None:
        self._script = dict(script)
        self._by_part = by_part

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling, draws: Sequence[int]) -> Iterator[tuple[int, Completion]]:
        """In the order of the prompts. Raises EngineError for a prompt that is not in the script."""
        for index, prompt in enumerate(prompts):
            yield index, self._complete(prompt if isinstance(prompt, str) else prompt.user, sampling)

    def _complete(self, prompt: str, sampling: Sampling) -> Completion:
        key = next((part for part in self._script if part in prompt), prompt) if self._by_part else prompt
        if key not in self._script:
            raise EngineError(f"scripted engine: no completion for the prompt {prompt[:60]!r}; its script has {len(self._script)} prompts")
        whole = self._script[key]
        text, stopped = cut_at_stop(whole[: sampling.max_new_tokens], sampling.stop)
        ended = stopped or len(whole) <= sampling.max_new_tokens
        return Completion(text, "stop" if ended else "length", len(text), len(prompt))

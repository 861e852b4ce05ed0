"""An engine that gives the completions it was told to: for tests, and to score texts that come from elsewhere.

in: a mapping prompt -> text   out: completions, cut at stop strings as a model's are
"""

from collections.abc import Mapping, Sequence

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Completion, Sampling, cut_at_stop


class ScriptedEngine:
    """Completions by prompt; one character counts as one token."""

    def __init__(self, script: Mapping[str, str]) -> None:
        self._script = dict(script)

    def generate(self, prompts: Sequence[str], sampling: Sampling) -> list[Completion]:
        """One completion per prompt. Raises EngineError for a prompt that is not in the script."""
        return [self._complete(prompt, sampling) for prompt in prompts]

    def _complete(self, prompt: str, sampling: Sampling) -> Completion:
        if prompt not in self._script:
            raise EngineError(f"scripted engine: no completion for the prompt {prompt[:60]!r}; its script has {len(self._script)} prompts")
        whole = self._script[prompt]
        text, stopped = cut_at_stop(whole[: sampling.max_new_tokens], sampling.stop)
        ended = stopped or len(whole) <= sampling.max_new_tokens
        return Completion(text, "stop" if ended else "length", len(text))

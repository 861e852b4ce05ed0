"""What every inference engine offers: prompts in, completions out, in the order of the prompts.

Engines know texts and tokens, not benchmarks. The same model, prompt and sampling give the same completion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from snowcoder.errors import ParameterError

FinishReason = Literal["stop", "length"]
ENGINE_KINDS = ("transformers",)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How far to decode.

    max_new_tokens: tokens per completion at most.
    stop: strings that end a completion; the first one found, and all after it, is cut off.
    temperature: 0 for greedy decoding; above 0, tokens are drawn, from the most likely ones that together hold `top_p`.
    seed: of the draws. The same prompt, given several times, gets other draws each time.
    """

    max_new_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """text: without its stop string. finish_reason: `stop` (a stop string or the end token) or `length`. n_tokens: what `text` took."""

    text: str
    finish_reason: FinishReason
    n_tokens: int


class Engine(Protocol):
    """A source of completions."""

    def generate(self, prompts: Sequence[str], sampling: Sampling) -> list[Completion]:
        """One completion per prompt, in their order."""


def check_engine_kind(kind: str, field: str) -> None:
    """Raises ParameterError, naming the parameter `field` and the kinds there are, if `kind` is none of them."""
    if kind not in ENGINE_KINDS:
        raise ParameterError(f"params.yaml: {field}: unknown engine {kind!r}; allowed: {', '.join(ENGINE_KINDS)}")


def cut_at_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """(text up to the earliest stop string, whether there was one)."""
    found = [position for position in (text.find(end) for end in stop) if position >= 0]
    return (text[: min(found)], True) if found else (text, False)

"""What every inference engine offers: prompts in, completions out, in the order of the prompts.

Engines know texts and tokens, not benchmarks. Decoding is greedy: the same model and prompt give the same completion.
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
    """

    max_new_tokens: int
    stop: tuple[str, ...] = ()


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

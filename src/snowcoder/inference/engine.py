"""Defines what every inference engine offers: prompts in, completions out.

Engines know texts and tokens, not benchmarks. The same model, prompt, sampling and draw give the same completion.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from snowcoder.seeding import derive_seed

FinishReason = Literal["stop", "length", "content_filter"]
# engines that decode a checkpoint's completions of benchmarks
EngineKind = Literal["transformers", "vllm"]


@dataclass(frozen=True, slots=True)
class Chat:
    """A prompt for an instruction-tuned model, put into words by the model's own chat template. system: '' for none."""

    system: str
    user: str

    def messages(self) -> list[dict[str, str]]:
        """As chat templates and OpenAI's API take them."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": self.user}]


# a plain text is continued; a Chat is answered
Prompt = str | Chat


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
    """text: without its stop string.

    finish_reason: `stop` (a stop string or the end token), `length`, or `content_filter` (of a server).
    n_tokens: what `text` took; vLLM and servers count the stop string and the end token too. n_prompt_tokens: None where the engine does
    not report it.
    """

    text: str
    finish_reason: FinishReason
    n_tokens: int
    n_prompt_tokens: int | None = None


class Engine(ABC):
    """A source of completions."""

    @abstractmethod
    def complete(self, prompts: Sequence[Prompt], sampling: Sampling, draws: Sequence[int]) -> Iterator[tuple[int, Completion]]:
        """(index of a prompt, its completion), once per prompt, in whatever order they are finished.

        draws: one number per prompt, which distinguishes several draws for the same prompt. Raises EngineError, after it has yielded all
        that was answered.
        """

    def close(self) -> None:  # noqa: B027, most engines hold nothing that must be freed by hand
        """Free what the engine holds; nothing can be asked afterwards."""

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Completion]:
        """One completion per prompt, in their order."""
        found = dict(self.complete(prompts, sampling, number_draws(prompts)))
        return [found[index] for index in range(len(prompts))]


def number_draws(prompts: Sequence[Prompt]) -> list[int]:
    """How often each prompt was given before, in the same list."""
    times: Counter[Prompt] = Counter()
    draws = []
    for prompt in prompts:
        draws.append(times[prompt])
        times[prompt] += 1
    return draws


def draw_seed(sampling: Sampling, prompt: Prompt, draw: int) -> int:
    """The seed of one draw, whatever else is asked in the same call."""
    text = prompt if isinstance(prompt, str) else f"{prompt.system}\0{prompt.user}"
    return derive_seed(sampling.seed, "sample", text, draw)


def cut_at_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """(text up to the earliest stop string, whether there was one)."""
    found = [position for position in (text.find(end) for end in stop) if position >= 0]
    return (text[: min(found)], True) if found else (text, False)

"""Turns prompts into token ids and new ids into text, the same way for every engine that decodes here.

in: Prompt   out: ids, the last ones where there is no room for all
in: new ids   out: the text that follows the prompt
"""

from collections.abc import Callable, Sequence

from tokenizers import Tokenizer

from snowcoder.errors import EngineError, ParameterError
from snowcoder.inference.engine import Chat, Prompt
from snowcoder.inference.local.border_tokens import start_once

LETTER = "a"


class PromptEncoder:
    """A tokenizer, and what comes before a prompt.

    start_ids: before a prompt, once: a chat template may write them too. render_chat: the chat template.
    """

    def __init__(self, tokenizer: Tokenizer, start_ids: Sequence[int], render_chat: Callable[[Chat], str] | None = None) -> None:
        self._tokenizer = tokenizer
        self._start_ids = list(start_ids)
        self._render_chat = render_chat

    def encode(self, prompt: Prompt, room: int) -> list[int]:
        """At most `room` ids: a long plain prompt loses its head. Raises EngineError for an empty prompt, and for a Chat that the model
        has no template for, or that does not fit.
        """
        ids = self._all_ids(prompt)
        if isinstance(prompt, Chat) and len(ids) > room:
            raise EngineError(f"a chat prompt of {len(ids)} tokens does not fit into {room}; raise window_tokens or shorten the seeds")
        if not ids:
            raise EngineError("an empty prompt has no token to continue; this model's tokenizer adds no start token")
        return ids[-room:]

    def encode_all(self, prompts: Sequence[Prompt], window_tokens: int, max_new_tokens: int) -> list[list[int]]:
        """Each prompt, in the room that a window leaves. Raises ParameterError if max_new_tokens leaves none, and as `encode`."""
        if max_new_tokens >= window_tokens:
            found = f"params.yaml: max_new_tokens: found {max_new_tokens}"
            raise ParameterError(f"{found}; allowed: below the window of {window_tokens} tokens")
        return [self.encode(prompt, window_tokens - max_new_tokens) for prompt in prompts]

    def count_cut(self, prompts: Sequence[Prompt], room: int) -> int:
        """How many of these plain prompts lose their head in `room` ids."""
        return sum(len(self._all_ids(prompt)) > room for prompt in prompts)

    def _all_ids(self, prompt: Prompt) -> list[int]:
        if isinstance(prompt, Chat):
            if self._render_chat is None:
                raise EngineError("this model has no chat template: it continues text; choose prompts for base models (prompt: base-…)")
            prompt = self._render_chat(prompt)
        return start_once(self._start_ids, self._tokenizer.encode(prompt, add_special_tokens=False).ids)


def decode_continuation(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """The text of ids that continue a prompt, special tokens left out.

    Tokenizers made by SentencePiece (Llama 2, Mistral) take one blank off the beginning of every text that they decode, since they put one
    there when they encode: of a completion it is part of the first line's indentation. So `ids` are decoded behind a letter.
    """
    letter = tokenizer.encode(LETTER, add_special_tokens=False).ids
    alone = tokenizer.decode(letter, skip_special_tokens=True)
    return str(tokenizer.decode([*letter, *ids], skip_special_tokens=True)[len(alone) :])

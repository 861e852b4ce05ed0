"""Prompts as token ids, the same way for every engine that decodes here.

in: Prompt   out: ids, the last ones where there is no room for all
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Chat, Prompt


class PromptEncoder:
    """A tokenizer, and what comes before a plain prompt.

    start_ids: before a plain prompt that starts a document. render_chat: the chat template; it writes its own start token.
    """

    def __init__(self, tokenizer: Tokenizer, start_ids: Sequence[int], render_chat: Callable[[Chat], str] | None = None) -> None:
        self._tokenizer = tokenizer
        self._start_ids = list(start_ids)
        self._render_chat = render_chat

    def encode(self, prompt: Prompt, room: int) -> list[int]:
        """At most `room` ids: a long plain prompt loses its head. Raises EngineError for a Chat that the model has no template for, or
        that does not fit.
        """
        if isinstance(prompt, str):
            return [*self._start_ids, *self._tokenizer.encode(prompt, add_special_tokens=False).ids][-room:]
        if self._render_chat is None:
            raise EngineError("this model has no chat template: it continues text; choose prompts for base models (prompt: base-…)")
        ids = self._tokenizer.encode(self._render_chat(prompt), add_special_tokens=False).ids
        if len(ids) > room:
            raise EngineError(f"a chat prompt of {len(ids)} tokens does not fit into {room}; raise window_tokens or shorten the seeds")
        return list(ids)


def chat_renderer(folder: Path) -> Callable[[Chat], str] | None:
    """Puts a Chat into the words of the chat template in a model's folder; None where it has none."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        return None

    def render(chat: Chat) -> str:
        return str(tokenizer.apply_chat_template(chat.messages(), tokenize=False, add_generation_prompt=True))

    return render

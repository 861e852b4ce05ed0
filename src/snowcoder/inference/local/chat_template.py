"""Applies a model's own chat template: writes a conversation as the text that the model was trained on.

in: the tokenizer of a model folder, a Chat   out: a prompt, whose last characters the model's answer follows
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from snowcoder.errors import CheckpointError
from snowcoder.inference.engine import Chat

# put where the answer continues, and searched for in what the template wrote
ANSWER_MARK = "[[the answer continues here]]"
# Some templates write today's date into the prompt: the same evaluation would have other prompts tomorrow. This is Llama 3.1's fixed date.
DATE = date(2024, 7, 26)


class ChatTemplate:
    """text: the template as the folder has it. sha256: of that text, which distinguishes results of different templates."""

    def __init__(self, tokenizer: Any, folder: Path) -> None:
        self._tokenizer = tokenizer
        self._folder = folder
        try:
            self.text = str(tokenizer.get_chat_template())
        except ValueError as error:  # several, and none of them is called default
            raise CheckpointError(f"{folder}: chat template: {error}") from error
        self.sha256 = hashlib.sha256(self.text.encode()).hexdigest()

    def render(self, chat: Chat, response: str = "") -> str:
        """The conversation up to the answer; the answer begins with `response`, which the model continues.

        Raises CheckpointError if the template fails, or does not write the answer's beginning.
        """
        if not response:
            return self._apply(chat.messages(), add_generation_prompt=True)
        return self._begun(chat, response)[0]

    def after_answer(self) -> str:
        """What the template writes behind an answer, such as the token that ends a turn; '' where that cannot be seen."""
        try:
            return self._begun(Chat("", "question"), "answer")[1]
        except CheckpointError:
            return ""

    def _begun(self, chat: Chat, response: str) -> tuple[str, str]:
        text = self._apply([*chat.messages(), {"role": "assistant", "content": response + ANSWER_MARK}], add_generation_prompt=False)
        before, mark, after = text.partition(ANSWER_MARK)
        if not mark:
            raise CheckpointError(
                f"{self._folder}: its chat template does not write the content of an assistant's message, so an answer cannot be started;  "
                "correct the template, or ask the model with mode base"
            )
        if not before.endswith(response):
            raise CheckpointError(
                f"{self._folder}: its chat template changes an assistant's message: found {before[-len(response) :]!r} for {response!r}, "
                "so that the answer would not begin as requested; correct the template, or ask the model with mode base"
            )
        return before, after

    def _apply(self, messages: Sequence[dict[str, str]], add_generation_prompt: bool) -> str:
        from jinja2 import TemplateError

        try:
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages),
                    tokenize=False,
                    add_generation_prompt=add_generation_prompt,
                    date_string=DATE.strftime("%d %b %Y"),
                    strftime_now=DATE.strftime,
                )
            )
        except (TemplateError, ValueError, TypeError, KeyError) as error:
            raise CheckpointError(
                f"{self._folder}: its chat template cannot be applied to the roles {[message['role'] for message in messages]} ({error}); "
                "correct the template, or ask the model with mode base"
            ) from error


def read_chat_template(tokenizer: Any, folder: Path) -> ChatTemplate | None:
    """The template of a tokenizer of transformers; None where it has none. Raises CheckpointError if it has several without a default."""
    return ChatTemplate(tokenizer, folder) if tokenizer.chat_template else None

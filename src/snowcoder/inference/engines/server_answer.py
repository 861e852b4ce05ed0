"""Reads what a server with OpenAI's API answers: types, sizes and nesting are not trusted.

in: the text of an answer   out: a Completion, all of whose fields are of their types
"""

import json
import re
from typing import Any, cast, get_args

from snowcoder.inference.engine import Completion, FinishReason, Sampling, cut_at_stop

MAX_TOKENS = 2**31 - 1
LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can write one, UTF-8 cannot


class UnusableAnswerError(Exception):
    """An answer is not a whole one; another attempt may get one. The message says why, without the answer's text."""


def read_completion(text: str, sampling: Sampling) -> Completion:
    """The completion in a server's answer. Raises UnusableAnswerError if it is not a whole one."""
    try:
        answer = json.loads(text)
        choice = answer["choices"][0]
        written = choice["message"]["content"] if "message" in choice else choice["text"]
        usage, reason = answer["usage"], choice["finish_reason"]
        counts = usage["completion_tokens"], usage["prompt_tokens"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise UnusableAnswerError(f"incomplete answer ({type(error).__name__}: {error})") from error
    if reason not in get_args(FinishReason):
        raise UnusableAnswerError(f"the server stopped with another finish_reason than {', '.join(get_args(FinishReason))}")
    if not isinstance(written, str | None):
        raise UnusableAnswerError(f"content: found {_kind(written)}; allowed: text, or null")
    for count in counts:
        if type(count) is not int or not 0 <= count <= MAX_TOKENS:
            raise UnusableAnswerError(f"usage: found {_kind(count)} as a number of tokens; allowed: a whole number from 0 to {MAX_TOKENS}")
    whole = LONE_SURROGATE.sub("\ufffd", written or "")
    return Completion(cut_at_stop(whole, sampling.stop)[0], cast(FinishReason, reason), *counts)


def _kind(value: Any) -> str:
    """A number as it is; of anything else, what it is."""
    return f"{value:.6g}" if isinstance(value, float) else {int: "another whole number", str: "text"}.get(type(value), type(value).__name__)

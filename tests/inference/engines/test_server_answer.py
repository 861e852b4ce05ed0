"""What a server answers is read by its types: what is not a whole completion is refused with its reason."""

import json
from typing import Any

import pytest

from snowcoder.inference.engine import Completion, Sampling
from snowcoder.inference.engines.server_answer import UnusableAnswerError, read_completion

SAMPLING = Sampling(16, stop=("END",))
USAGE = {"prompt_tokens": 7, "completion_tokens": 5}


def answer(usage: Any = USAGE, **choice: Any) -> str:
    return json.dumps({"choices": [{"finish_reason": "stop"} | choice], "usage": usage})


@pytest.mark.parametrize(
    ("text", "completion"),
    [
        (answer(text="aEND"), Completion("a", "stop", 5, 7)),
        (answer(message={"content": "a"}, finish_reason="length"), Completion("a", "length", 5, 7)),
        # of a filter that left nothing
        (answer(message={"content": None}, finish_reason="content_filter"), Completion("", "content_filter", 5, 7)),
        # JSON can write half of a pair, which no file of UTF-8 holds
        (answer(text="a\ud800b"), Completion("a\ufffdb", "stop", 5, 7)),
        (answer(text="\U0001f600"), Completion("\U0001f600", "stop", 5, 7)),
    ],
)
def test_a_whole_answer_becomes_a_completion(text: str, completion: Completion) -> None:
    assert read_completion(text, SAMPLING) == completion


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "incomplete answer .JSONDecodeError"),
        pytest.param("[" * 100_000, "incomplete answer .RecursionError", id="deep"),
        pytest.param('{"choices": ' + "[" * 100_000, "incomplete answer", id="deep choices"),
        pytest.param("9" * 5000, "incomplete answer .ValueError", id="many digits"),
        ("null", "incomplete answer .TypeError"),
        ("[]", "incomplete answer .TypeError"),
        ('{"choices": {}}', "incomplete answer .KeyError"),
        ('{"choices": ["message"]}', "incomplete answer .TypeError"),
        (answer(message="text"), "incomplete answer .TypeError"),
        (answer(usage=None, text="a"), "incomplete answer .TypeError"),
        (answer(text=["a"]), "content: found list; allowed: text, or null"),
        (answer(message={"content": [{"text": "a"}]}), "content: found list; allowed: text, or null"),
        (answer(text=5), "content: found another whole number"),
        (answer(text="a", finish_reason=["stop"]), "the server stopped with another finish_reason than stop, length"),
        (answer(text="a", finish_reason="abort"), "the server stopped with another finish_reason"),
        (answer(text="a", usage=USAGE | {"prompt_tokens": -1}), "usage: found another whole number as a number of tokens"),
        (answer(text="a", usage=USAGE | {"prompt_tokens": 10**18}), "usage: found another whole number as a number of tokens"),
        (answer(text="a", usage=USAGE | {"completion_tokens": True}), "usage: found bool as a number of tokens"),
        (answer(text="a", usage=USAGE | {"completion_tokens": "5"}), "usage: found text as a number of tokens"),
        (answer(text="a", usage=USAGE | {"completion_tokens": 5.5}), "usage: found 5.5 as a number of tokens; allowed: a whole number"),
        (answer(text="a").replace("5}", "1e400}"), "usage: found inf as a number of tokens"),
        (answer(text="a").replace("5}", "NaN}"), "usage: found nan as a number of tokens"),
    ],
)
def test_what_is_no_whole_answer_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(UnusableAnswerError, match=reason):
        read_completion(text, SAMPLING)

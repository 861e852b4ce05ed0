"""Text as a stream of words: identifiers, keywords and numbers in lower case. White space and punctuation are left out.

So a copy is recognised whatever its indentation, line breaks, quotes, trailing commas and brackets, that is after any formatter, and a
docstring also where it has become a comment. Not recognised by words: renamed variables and translations into another language.
"""

import re
from collections.abc import Iterator

WORD = re.compile(r"\w+")
COMMENT = re.compile(r"#[^\n]*")


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def excerpt(text: str, start: int, count: int, max_characters: int) -> str:
    """The text, as written, from its word number `start` over `count` words, cut to `max_characters`."""
    spans = [match.span() for number, match in enumerate(WORD.finditer(text)) if start <= number < start + count]
    return text[spans[0][0] : spans[-1][1]][:max_characters] if spans else ""


def forms(text: str) -> Iterator[str]:
    """The text as it is and, if that differs, without `#` comments: comments added to a copy, or changed in it, do not hide it."""
    yield text
    bare = COMMENT.sub("", text)
    if bare != text:
        yield bare

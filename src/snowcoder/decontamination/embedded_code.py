"""Finds code inside strings: a program that a test writes, an instruction row in JSON, a notebook cell.

in: the value of a string   out: whether it looks like code; its tokens are read as those of a file are
"""

import json
import re

# every solution of a benchmark defines a function or returns something; prose that begins a line like this is read but not matched
_STATEMENT = re.compile(r"^[ \t]*(?:def \w+[ \t]*\(|return\b)", re.MULTILINE)


def holds_code(text: str) -> bool:
    """Whether some line of a text of several lines begins like a statement of a function."""
    return "\n" in text and _STATEMENT.search(text) is not None


def unescape(literal: str) -> str:
    """The value of a double-quoted string as JSON writes it; '' if it is not one."""
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return ""

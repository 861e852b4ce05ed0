"""Extracts a docstring's prose: what the function does, without examples and references to other places."""

import re

from snowcoder.exercises.functions import parse_examples

# lines of a docstring that only announce the examples, which have been taken out
ANNOUNCEMENT = re.compile(
    r"^\s*(\**(for )?(examples?|usage|example usage|basic usage|doctests?|tests?|e\.g\.|for instance)\**\s*[:,]{0,2}"
    r"|\.\. (doctest|testsetup|code-block|code|testcode|rubric)::.*|::)\s*$",
    re.IGNORECASE,
)
UNDERLINE = re.compile(r"^\s*[-=~^*]{3,}\s*$")
# history and references, with the indented lines that belong to them
DIRECTIVE = re.compile(r"^(\s*)\.\. (versionadded|versionchanged|deprecated|seealso|todo|index|_[\w-]+)\b.*$", re.IGNORECASE)
SECTION_ELSEWHERE = re.compile(r"^\s*(see also|references|authors?|todo)\s*:?\s*$", re.IGNORECASE)
ROLE = re.compile(r":(?:py:)?[a-z]+:`~?([^`<]*?)(?:\s*<[^`>]*>)?`")
ADMONITION = re.compile(r"^(\s*)\.\. (note|warning|tip|important|caution)::\s*", re.IGNORECASE)


def description(docstring: str) -> str:
    """The prose: examples, the headings that announce them, history and references taken out; reST's roles are plain code."""
    parts = [part.rstrip() for part in parse_examples(docstring) if isinstance(part, str)]
    # what ended in `:` or `::` announced the examples that followed
    closed = [re.sub(r"\s*::?\Z", ".", part) if not ANNOUNCEMENT.match(part.split("\n")[-1]) else part for part in parts]
    lines = _without_references("\n".join(closed).split("\n"))
    kept: list[str] = []
    for number, line in enumerate(lines):
        if ANNOUNCEMENT.match(line) or (UNDERLINE.match(line) and number and ANNOUNCEMENT.match(lines[number - 1])):
            continue
        line = ADMONITION.sub(lambda match: f"{match[1]}{match[2].capitalize()}: ", line)
        kept.append(ROLE.sub(lambda match: f"`{match[1].rsplit('.', 1)[-1] or match[1]}`", line).rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


def summary(docstring: str) -> str:
    """The first paragraph of the prose."""
    return description(docstring).split("\n\n")[0]


def _without_references(lines: list[str]) -> list[str]:
    """Directives of history and reference go with their indented lines; sections that refer elsewhere go to the next heading."""
    kept: list[str] = []
    indent: int | None = None
    in_section = False
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        heading = bool(UNDERLINE.match(following)) or bool(re.match(r"^\s*[A-Z][\w ]*:\s*$", line))
        if SECTION_ELSEWHERE.match(line):
            in_section = True
        elif heading:
            in_section = False
        if match := DIRECTIVE.match(line):
            indent = len(match[1])
        elif indent is not None and line.strip() and len(line) - len(line.lstrip()) <= indent:
            indent = None
        if indent is None and not in_section:
            kept.append(line)
    return kept

"""Turns instruction data into code files: the code in a model's markdown answer, below the task it was given.

A corpus holds code. An annotator whose positives contain prose and markdown fences learns to separate markdown from code. So the
code of an answer is the text in its fences (in the language of the first; of an answer without any, all of it), and the statement
precedes it as a comment of that language, in Python as the module's docstring.
"""

import re

from snowcoder.source_files.languages import language_of, name_language

# An answer that was cut off leaves its last fence open
_FENCED = re.compile(r"^[ \t]*```[ \t]*(?P<tag>[\w+#.-]*)[^\n]*\n(?P<code>.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_LINE_COMMENTS = {"ruby": "#", "shell": "#", "yaml": "#", "sql": "--"}


def fenced_code(text: str) -> tuple[str, str | None]:
    """(code, language or None if no fence names a known one) of an answer in markdown."""
    blocks = [(_language_of_tag(match["tag"]), match["code"].strip("\n")) for match in _FENCED.finditer(text)]
    if not blocks:
        return text, None
    language = blocks[0][0]
    return "\n\n".join(code for tag, code in blocks if tag == language) + "\n", language


def with_statement(statement: str, code: str, language: str | None) -> str:
    """The statement as a comment, an empty line, the code; the code alone if nothing is stated."""
    statement = statement.strip()
    if not statement:
        return code
    if language == "python":
        quoted = statement.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        blank = "\n" if code.startswith(("import ", "from ")) else "\n\n"
        return f'"""{quoted}\n"""\n{blank}{code}'
    if language in _LINE_COMMENTS:
        lines = [f"{_LINE_COMMENTS[language]} {line}".rstrip() for line in statement.split("\n")]
        return "\n".join(lines) + f"\n\n{code}"
    if language == "html":
        return f"<!--\n{statement.replace('--', '- -')}\n-->\n\n{code}"
    return f"/*\n{statement.replace('*/', '* /')}\n*/\n\n{code}"


def _language_of_tag(tag: str) -> str | None:
    """`python`, `C++`, or an extension as `py`."""
    return (name_language(tag) or language_of(f"name.{tag}", "")) if tag else None

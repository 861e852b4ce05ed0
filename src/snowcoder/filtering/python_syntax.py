"""Checks whether Python texts parse by the newest known grammar, and whether two texts differ only in strings and comments.

in: texts of Python files  out: of each the line of its first syntax error; a text's tokens outside strings and comments
Nothing is run, and nothing depends on the interpreter in use: a file with the syntax of Python 3.14 gets the same number under 3.11.

Ruff's parser decides (https://docs.astral.sh/ruff), for the target GRAMMAR. It agrees with the newest CPython on every file of the standard
libraries of Python 2.7, 3.8, 3.11 and 3.13, tests included, but for Python 2's `except` below. What `ast.parse` lets pass and no Python
compiles, such as an argument named twice, is an error too; `return` and `await` outside a function, which notebooks hold, are none.
(tree-sitter's grammar cannot decide: it takes `print "x"`, `a <> b` and a function without an indented body.) Two things are added:
  - `except A, e:` is Python 2, though Python 3.14 reads it as two classes, where the last part is a bare name in lower case that the text
    neither imports nor defines as a class, or a single capital letter that the handler uses; `except OSError, ValueError:` is Python 3.14.
  - a text that holds a null byte or that ends the parser (nested too deep) does not parse: line 1.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ruff import find_ruff_bin

from snowcoder.errors import ExecutionError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

GRAMMAR = "py315"
MAX_FILES_PER_CALL = 1000
# Syntax errors are reported whatever rules are chosen; E902, an unreadable file, is the one that adds nothing else.
_OPTIONS = (
    "--isolated",
    "--no-cache",
    "--no-respect-gitignore",
    "--exit-zero",
    "--quiet",
    "--select",
    "E902",
    "--output-format",
    "json-lines",
)
_ENDED_BY_INPUT = (-signal.SIGABRT, -signal.SIGSEGV)  # its stack is full
_TWO_PART_EXCEPT = re.compile(r"^[ \t]*except\b(?P<before>[^\n#:]*),[ \t]*(?P<name>[a-z_]\w*|[A-Z]|\([a-z_][\w, ]*\))[ \t]*:", re.MULTILINE)
_TEXT_NODES = frozenset({"comment", "string_start", "string_content", "string_end"})


def syntax_error_lines(contents: Sequence[str]) -> list[int]:
    """Line of the first syntax error of each text; 0 where it parses. The parser is started once for up to MAX_FILES_PER_CALL texts.

    Raises ExecutionError where the parser itself does not work.
    """
    lines: list[int] = []
    for start in range(0, len(contents), MAX_FILES_PER_CALL):
        lines += _error_lines(contents[start : start + MAX_FILES_PER_CALL])
    return lines


def code_tokens(content: str) -> list[str]:
    """The tokens of a Python text outside strings and comments, equal for texts that differ in those alone. A broken text has some too."""
    return [(node.text or b"").decode("utf-8", "surrogatepass") for node in _leaves(_tree(content)) if node.type not in _TEXT_NODES]


def code_ranges(content: str, ranges: Sequence[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """Those of the ranges (first character, one past the last) that begin in code, and neither in a string nor in a comment."""
    tree = _tree(content)
    found = set()
    for start, end in ranges:
        at = len(content[:start].encode("utf-8", "surrogatepass"))
        node = tree.root_node.descendant_for_byte_range(at, at + 1)
        if node is None or node.type not in _TEXT_NODES | {"string", "escape_sequence"}:
            found.add((start, end))
    return frozenset(found)


def _error_lines(contents: Sequence[str]) -> list[int]:
    names = [f"{number}.py" for number in range(len(contents))]
    with tempfile.TemporaryDirectory(prefix="snowcoder-syntax-") as folder:
        for name, content in zip(names, contents, strict=True):
            Path(folder, name).write_bytes(content.encode("utf-8", "surrogatepass"))
        found = _find_errors(names, folder)
    return [found.get(name) or int("\0" in content) or _python_2_line(content) for name, content in zip(names, contents, strict=True)]


def _find_errors(names: Sequence[str], folder: str) -> dict[str, int]:
    """Name -> line of the first error, of the files that have one. Where a file ends the parser, the others are parsed without it."""
    command = [find_ruff_bin(), "check", *_OPTIONS, "--target-version", GRAMMAR, *names]
    environment = os.environ | {"RAYON_NUM_THREADS": "1"}  # the worker's own share of the machine
    errors: dict[str, int] = {}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:  # a file can have a million errors, so they are not collected first
            error = json.loads(line)
            name = Path(error["filename"]).name
            errors[name] = min(error["location"]["row"], errors.get(name, error["location"]["row"]))
    if process.returncode == 0:
        return errors
    if process.returncode not in _ENDED_BY_INPUT:
        raise ExecutionError(
            f"{' '.join(command[: -len(names)])}: the parser of Python files ended with exit code {process.returncode}; allowed: 0. "
            "Run `ruff --version`, and install the version that constraints.txt names"
        )
    if len(names) == 1:
        return {names[0]: 1}
    half = len(names) // 2
    return _find_errors(names[:half], folder) | _find_errors(names[half:], folder)


def _python_2_line(content: str) -> int:
    """Line of the first `except A, e:` of Python 2; 0 if there is none outside strings."""
    matches = list(_TWO_PART_EXCEPT.finditer(content))
    keywords = {node.start_point[0]: node for node in _leaves(_tree(content)) if node.type == "except"} if matches else {}
    for match in matches:
        row = content.count("\n", 0, match.start())
        unbracketed = match["before"].count("(") == match["before"].count(")")
        if row in keywords and unbracketed and not _is_class(match["name"], keywords[row].parent, content):
            return row + 1
    return 0


def _is_class(name: str, clause: "Node | None", content: str) -> bool:
    """Whether the last name of a clause is a class to be caught, as in Python 3.14, and not what Python 2 binds the error to."""
    if name[0] == "(":  # Python 2 takes the error's parts
        return False
    if name[0].isupper():
        body = clause.named_children[-1].text if clause is not None else None
        return re.search(rf"\b{name}\b", (body or b"").decode("utf-8", "surrogatepass")) is None
    return re.search(rf"^[ \t]*(?:class {name}\b|(?:from .+ )?import .*\b{name}\b)", content, re.MULTILINE) is not None


def _leaves(tree: "Tree") -> Iterator["Node"]:
    """The tree's tokens in their order; a string's content is one, its escapes are not."""
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        if node.type != "string_content" and cursor.goto_first_child():
            continue
        yield node
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _tree(content: str) -> "Tree":
    return _tree_parser().parse(content.encode("utf-8", "surrogatepass"))


@cache
def _tree_parser() -> "Parser":
    import tree_sitter_python
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_python.language()))

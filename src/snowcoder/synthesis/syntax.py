"""Checks that a document is a program in the requested language: Python by this interpreter's parser, other languages by their
tree-sitter grammars (https://tree-sitter.github.io), which editors use.

in: a document's text, its language   out: the first fault of its syntax, or None
A tree-sitter grammar describes a language's newest form, and repairs what it does not know instead of refusing it: a document is rejected
when its tree has such a repair. So macros of C and C++, templates in SQL or HTML, and a few valid forms (in CSS `url(../a.png)` without
quotes) are rejected in error; HTML and Bash take almost any text. LOG.md has the counts over the default corpus.
"""

import ast
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from snowcoder.exercises.names import parse

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# language -> name of its grammar
_SAME_NAMES = ("c", "cpp", "css", "dart", "go", "html", "java", "javascript", "kotlin", "php", "ruby", "rust", "scala", "sql", "swift")
GRAMMARS = {name: name for name in (*_SAME_NAMES, "typescript")} | {"csharp": "c_sharp", "shell": "bash"}
# grammars of which a module holds several: the function that gives the one of the language
VARIANTS = {"php": "language_php", "typescript": "language_typescript"}
# nodes at the top of a tree that are no code
NO_CODE = ("comment", "line_comment", "block_comment", "doc_comment", "text", "hash_bang_line", "marginalia")
SHOWN_CHARACTERS = 60


def syntax_fault(content: str, language: str) -> tuple[str, str] | None:
    """(does_not_parse | no_code, where), or None: also for a language that nothing here can parse (is_parsed)."""
    if language == "python":
        return _python_fault(content)
    if language not in GRAMMARS:
        return None
    source = content.encode("utf-8", "surrogatepass")
    root = _parser(language).parse(source).root_node
    if root.has_error:
        fault = next(_faults(root))
        text = " ".join(source[fault.start_byte : fault.end_byte].decode("utf-8", "replace").split())
        shown = f"{fault.type!r} is missing" if fault.is_missing else text[:SHOWN_CHARACTERS]
        return "does_not_parse", f"line {fault.start_point[0] + 1}: {shown}"
    if all(node.type in NO_CODE for node in root.named_children):
        return "no_code", ""
    return None


def is_parsed(language: str) -> bool:
    """Whether a document of that language is checked at all."""
    return language == "python" or language in GRAMMARS


def _python_fault(content: str) -> tuple[str, str] | None:
    tree = parse(content)
    if tree is None:
        return "does_not_parse", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, "<document>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # what a parser lets pass: an argument named twice
        return "does_not_parse", str(error)
    texts = (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) for statement in tree.body)
    return ("no_code", "") if all(texts) else None


def _faults(node: "Node") -> Iterator["Node"]:
    """Nodes that stand for text that the grammar does not know, or for a token that it misses, in their order."""
    if node.is_error or node.is_missing:
        yield node
        return
    for child in node.children:
        if child.has_error:
            yield from _faults(child)


@cache
def _parser(language: str) -> "Parser":
    from tree_sitter import Language, Parser

    grammar = getattr(import_module(f"tree_sitter_{GRAMMARS[language]}"), VARIANTS.get(language, "language"))
    return Parser(Language(grammar()))

"""Recognises a function under another name, docstring, comments and layout: compares functions by their syntax trees.

Split and deduplication work on whole files: a helper that two repositories share may be trained on and evaluated with.
in: contents of Python files   out: shapes, equal where two functions have the same arguments and body
"""

import ast
import warnings
from collections.abc import Iterable
from pathlib import Path

from snowcoder.storage.shards import iterate_rows


def function_shapes(content: str, name: str | None = None) -> set[str]:
    """Arguments and body of every function, without name, docstring and layout; empty if it does not parse.

    name: only of functions called so, and of the methods of classes called so that do more than one thing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and name in (None, node.name)]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    methods = (node for owner in classes for node in owner.body if isinstance(node, ast.FunctionDef))
    # a method of one statement (`return self.x`) is everybody's
    functions += [method for method in methods if len(_body(method)) > 1]
    return {_shape(function) for function in functions}


def held_out_shapes(contents: Iterable[str]) -> frozenset[str]:
    """The shapes of all functions of the held-out files."""
    return frozenset(shape for content in contents for shape in function_shapes(content))


def read_held_out_shapes(folder: Path) -> frozenset[str]:
    """As held_out_shapes, of the held-out Python files of data/split_files."""
    rows = iterate_rows(folder, ["content", "split", "language"])
    return held_out_shapes(row["content"] for row in rows if row["split"] == "held_out" and row["language"] == "python")


def _shape(function: ast.FunctionDef) -> str:
    return ast.dump(function.args) + "".join(ast.dump(statement) for statement in _body(function))


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body

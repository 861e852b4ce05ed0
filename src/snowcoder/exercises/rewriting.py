"""Rewrites code that goes through its own package: `>>> from toolz import first` is dropped, `toolz.first([1])`
becomes `first([1])`, in examples and in functions."""

import ast
import doctest
from collections.abc import Sequence

from snowcoder.exercises.names import bound_names, parse


def drop_package_imports(examples: Sequence[doctest.Example], package: str, defined: frozenset[str]) -> tuple[doctest.Example, ...] | str:
    """`examples` without imports of `package`, or the import that cannot be dropped. defined: top-level names of the function's file."""
    aliases: set[str] = set()
    kept: list[doctest.Example] = []
    for example in examples:
        tree = parse(example.source)
        if tree is None:
            kept.append(example)
            continue
        own = [node for node in tree.body if _is_own_import(node, package)]
        for node in own:
            if fault := _take_aliases(node, defined, aliases):
                return fault
        rest = [node for node in tree.body if node not in own]
        if not rest and own:
            continue
        kept.append(_rewritten(example, rest, aliases, defined, changed=bool(own)))
    return tuple(kept)


def flatten_attributes(source: str, aliases: frozenset[str]) -> tuple[str, dict[str, set[str]]] | None:
    """(`source` with `alias.name` shortened to `name`, {alias: names}); None where an alias is used otherwise, or `name` is bound within.

    Layout and comments stay: only the characters of the attributes change.
    """
    tree = parse(source)
    if tree is None:
        return None
    nodes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases
    ]
    uses = sum(1 for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in aliases)
    names = {node.attr for node in nodes}
    if uses != len(nodes) or names & _inner_names(tree):
        return None
    lines = [line.encode() for line in source.split("\n")]
    used: dict[str, set[str]] = {}
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        if node.lineno != node.end_lineno:
            return None
        assert isinstance(node.value, ast.Name)
        used.setdefault(node.value.id, set()).add(node.attr)
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[: node.col_offset] + node.attr.encode() + line[node.end_col_offset :]
    return b"\n".join(lines).decode(), used


def _inner_names(tree: ast.Module) -> set[str]:
    """Names bound inside the definitions of `tree`, not by the definitions themselves."""
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return bound_names(tree) - own


def _is_own_import(node: ast.stmt, package: str) -> bool:
    if isinstance(node, ast.ImportFrom):
        return bool(node.level) or (node.module or "").split(".")[0] == package
    return isinstance(node, ast.Import) and all(alias.name.split(".")[0] == package for alias in node.names)


def _take_aliases(node: ast.stmt, defined: frozenset[str], aliases: set[str]) -> str:
    """Remember the names that `node` gives to modules; the fault if it binds a name that the file does not define."""
    if isinstance(node, ast.Import):
        aliases |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        return ""
    assert isinstance(node, ast.ImportFrom)
    last = (node.module or "").split(".")[-1]
    for alias in node.names:
        if alias.name == "*":
            continue
        if alias.name not in defined or (alias.asname or alias.name) != alias.name:
            # `from package import module` names a module, or something of another file; only use distinguishes them
            if alias.name[:1].isupper():
                return f"{last}.{alias.name}"
            aliases.add(alias.asname or alias.name)
    return ""


def _rewritten(
    example: doctest.Example, rest: list[ast.stmt], aliases: set[str], defined: frozenset[str], changed: bool
) -> doctest.Example:
    shortener = _Shortener(aliases, defined)
    module = ast.fix_missing_locations(shortener.visit(ast.Module(rest, [])))
    if not (changed or shortener.changed):
        return example
    return doctest.Example(ast.unparse(module) + "\n", example.want, example.exc_msg, example.lineno, example.indent, dict(example.options))


class _Shortener(ast.NodeTransformer):
    """`alias.name` and `alias.module.name` → `name`, where the file defines `name`."""

    def __init__(self, aliases: set[str], defined: frozenset[str]) -> None:
        self._aliases = aliases
        self._defined = defined
        self.changed = False

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        is_alias = isinstance(root, ast.Name) and root.id in self._aliases
        if is_alias and node.attr in self._defined and _depth(node) <= 3:
            self.changed = True
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return self.generic_visit(node)


def _depth(node: ast.expr) -> int:
    return 1 + _depth(node.value) if isinstance(node, ast.Attribute) else 0

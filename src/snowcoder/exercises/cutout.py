"""Makes a documented function self-contained: what it needs from its own file travels with it, or it is refused with a reason.

in: the text of a file, one of its DocumentedFunctions, the name of its package   out: Cutout, or Refusal
Imports of the standard library are kept; functions, classes and constants of the file are inlined, transitively; everything is decided by
syntax, nothing is executed.
"""

import ast
import doctest
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from snowcoder.exercises.functions import DocumentedFunction
from snowcoder.exercises.names import (
    BUILTIN_NAMES,
    annotation_names,
    bound_alias,
    free_names,
    import_statement,
    normalise_newlines,
    parse,
    top_level_bindings,
)
from snowcoder.exercises.rewriting import drop_package_imports

# what these give differs from run to run, or needs more than one process
REFUSED_MODULES = frozenset(
    {"random", "secrets", "uuid", "time", "subprocess", "multiprocessing", "socket", "asyncio", "doctest", "inspect"}
)


@dataclass(frozen=True)
class Refusal:
    """Why a function cannot become an exercise. reason: one of a few fixed words; detail: the name or module at fault."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Cutout:
    """A self-contained function. imports: sorted; definitions: in the order of the file; examples: rewritten to need nothing else."""

    function: DocumentedFunction
    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    examples: tuple[doctest.Example, ...]


class ModuleSource:
    """One file, parsed once for all its functions."""

    def __init__(self, content: str) -> None:
        self.content = normalise_newlines(content)
        self.lines = self.content.split("\n")
        self.tree = parse(self.content) or ast.Module([], [])

    @cached_property
    def bindings(self) -> dict[str, list[ast.stmt]]:
        """Name -> top-level statements that bind it."""
        return top_level_bindings(self.tree)

    @cached_property
    def postpones_annotations(self) -> bool:
        """The file has `from __future__ import annotations`."""
        return any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in self.tree.body)

    def text(self, node: ast.stmt) -> str:
        """Source lines of a top-level statement, decorators included."""
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        return "\n".join(self.lines[first - 1 : node.end_lineno])


def cut_out(module: ModuleSource, function: DocumentedFunction, package: str, max_definitions: int) -> Cutout | Refusal:
    """`function` with what it needs from `module`. package: import name of the module's distribution, for the examples' own imports."""
    examples = drop_package_imports(function.examples, package, frozenset(module.bindings))
    if isinstance(examples, str):
        return Refusal("examples_import", examples)
    if fault := _foreign_module(parse(function.source + examples_source(examples))):
        return Refusal("imports", fault)
    needed = free_names(function.source) | free_names(examples_source(examples)) - {function.name}
    return _Collector(module, function, max_definitions).collect(needed, examples)


def examples_source(examples: Sequence[doctest.Example]) -> str:
    """The examples' statements as one program, those that cannot be parsed left out."""
    return "".join(example.source for example in examples if parse(example.source) is not None)


class _Collector:
    """Follows names from one function through the top level of its file."""

    def __init__(self, module: ModuleSource, function: DocumentedFunction, max_definitions: int) -> None:
        self._module = module
        self._function = function
        self._max_definitions = max_definitions
        self._imports: dict[str, str] = {}
        self._definitions: dict[int, ast.stmt] = {}

    def collect(self, needed: set[str], examples: tuple[doctest.Example, ...]) -> Cutout | Refusal:
        queue, seen = sorted(needed), {self._function.name}
        while queue:
            name = queue.pop(0)
            if name in seen:
                continue
            seen.add(name)
            found = self._resolve(name)
            if isinstance(found, Refusal):
                return found
            queue += sorted(found)
        if len(self._definitions) > self._max_definitions:
            return Refusal("too_many_definitions", str(len(self._definitions)))
        definitions = tuple(self._module.text(node) for _, node in sorted(self._definitions.items()))
        self._resolve_annotations([self._function.source, *definitions])
        return Cutout(self._function, tuple(sorted(self._imports.values(), key=_import_order)), definitions, examples)

    def _resolve(self, name: str) -> Refusal | set[str]:
        """Take in what binds `name`; the names that this needs in turn."""
        statements = self._module.bindings.get(name, [])
        if not statements:
            return set() if name in BUILTIN_NAMES else Refusal("unresolved_name", name)
        if len(statements) > 1:
            return Refusal("bound_more_than_once", name)
        statement = statements[0]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return self._take_import(statement, name)
        if fault := _foreign_module(statement):
            return Refusal("imports", fault)
        self._definitions[statement.lineno] = statement
        return free_names(self._module.text(statement))

    def _take_import(self, statement: ast.Import | ast.ImportFrom, name: str) -> Refusal | set[str]:
        if fault := _foreign_module(statement):
            return Refusal("imports", fault)
        alias = next(alias for alias in statement.names if bound_alias(alias) == name)
        self._imports[name] = import_statement(statement, [alias])
        return set()

    def _resolve_annotations(self, sources: list[str]) -> None:
        """Keep the imports that annotations name where they are of the standard library; postpone evaluation if any name stays open."""
        names = {name for source in sources for name in annotation_names(source)} - BUILTIN_NAMES - set(self._imports)
        defined = {name for name, nodes in self._module.bindings.items() if any(node in self._definitions.values() for node in nodes)}
        open_names = False
        for name in sorted(names - defined):
            statements = self._module.bindings.get(name, [])
            importable = len(statements) == 1 and isinstance(statements[0], ast.Import | ast.ImportFrom)
            open_names |= not importable or isinstance(self._take_import(statements[0], name), Refusal)  # type: ignore[arg-type]
        if open_names or self._module.postpones_annotations:
            self._imports["__future__"] = "from __future__ import annotations"


def _foreign_module(tree: ast.AST | None) -> str:
    """The first module imported anywhere in `tree` that an exercise may not import; '' if there is none."""
    for node in ast.walk(tree) if tree is not None else ():
        modules = []
        if isinstance(node, ast.ImportFrom):
            modules = ["." * node.level + (node.module or "")]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            root = module.split(".")[0]
            if root not in sys.stdlib_module_names or root in REFUSED_MODULES:
                return module
    return ""


def _import_order(statement: str) -> tuple[int, str]:
    rank = 0 if "__future__" in statement else 1 if statement.startswith("import ") else 2
    return rank, statement

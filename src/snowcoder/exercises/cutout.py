"""Makes a documented function or class self-contained: brings along what it needs from its package, or rejects it with a reason.

in: the ModuleSource of a file, one of its DocumentedFunctions, the name of its package   out: Cutout, or Refusal
Imports of the standard library are kept; functions, classes and constants of the file, and of other files of the package where the file
knows them, are inlined, transitively; everything is decided by syntax, nothing is executed.
"""

import ast
import builtins
import doctest
import keyword
import re
import sys
import typing
from collections.abc import Sequence
from dataclasses import dataclass, replace

from snowcoder.exercises.functions import DocumentedFunction
from snowcoder.exercises.names import BUILTIN_NAMES, annotation_names, bound_alias, free_names, import_statement, parse
from snowcoder.exercises.package import ModuleSource
from snowcoder.exercises.rewriting import drop_package_imports, flatten_attributes

# what these give differs from run to run, or needs more than one process
REFUSED_MODULES = frozenset({"random", "secrets", "uuid", "time", "subprocess", "multiprocessing", "socket", "asyncio", "doctest"})


@dataclass(frozen=True)
class Refusal:
    """Why a function cannot become an exercise. reason: one of a few fixed words; detail: the name or module at fault."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Cutout:
    """A self-contained function. imports: sorted; definitions: such that each comes before its use; examples: rewritten to need nothing
    else."""

    function: DocumentedFunction
    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    examples: tuple[doctest.Example, ...]


def cut_out(module: ModuleSource, function: DocumentedFunction, package: str, max_definitions: int) -> Cutout | Refusal:
    """`function` with what it needs from `module` and its package. package: import name of the distribution, for the examples' imports."""
    examples = drop_package_imports(function.examples, package, frozenset(module.bindings))
    if isinstance(examples, str):
        return Refusal("examples_import", examples)
    if fault := foreign_module(parse(function.source + examples_source(examples))):
        return Refusal("imports", fault)
    return _Collector(module, function, max_definitions).collect(examples)


def examples_source(examples: Sequence[doctest.Example]) -> str:
    """The examples' statements as one program, those that cannot be parsed left out."""
    return "".join(example.source for example in examples if parse(example.source) is not None)


def foreign_module(tree: ast.AST | None) -> str:
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


def without_backport(statement: ast.Import | ast.ImportFrom) -> ast.Import | ast.ImportFrom:
    """An import of typing_extensions as one of typing, where that has all of the names."""
    if isinstance(statement, ast.ImportFrom) and statement.module == "typing_extensions" and not statement.level:
        known = all(hasattr(typing, alias.name) for alias in statement.names)
        return ast.ImportFrom("typing", statement.names, 0) if known else statement
    if [alias.name for alias in statement.names] == ["typing_extensions"]:
        return ast.Import([ast.alias("typing", statement.names[0].asname or "typing_extensions")])
    return statement


class _Collector:
    """Follows names from one function through the top level of its file and of the files that this imports from its package."""

    def __init__(self, module: ModuleSource, function: DocumentedFunction, max_definitions: int) -> None:
        self._module = module
        self._function = function
        self._max_definitions = max_definitions
        self._imports: dict[str, str] = {}
        # name in the exercise -> the file and line that define it
        self._owners: dict[str, tuple[str, int]] = {function.name: (module.dotted, 0)}
        # file -> line -> text; a file is put here when all that its first definition needs has been
        self._definitions: dict[str, dict[int, str]] = {module.dotted: {}}
        self._postponed = module.postpones_annotations
        self._annotated: list[tuple[ModuleSource, str]] = []

    def collect(self, examples: tuple[doctest.Example, ...]) -> Cutout | Refusal:
        source = self._take_source(self._module, self._function.source, self._function.name)
        if isinstance(source, Refusal):
            return source
        for name in sorted(free_names(examples_source(examples)) - {self._function.name}):
            if fault := self._take(self._module, name):
                return fault
        self._resolve_annotations()
        definitions = self._ordered()
        if len(definitions) > self._max_definitions:
            return Refusal("too_many_definitions", str(len(definitions)))
        function = self._function if source == self._function.source else self._function.with_source(source)
        ranked = [(0 if "__future__" in text else 1 if text.startswith("import ") else 2, text) for text in self._imports.values()]
        return Cutout(function, tuple(text for _, text in sorted(ranked)), definitions, examples)

    def _take_source(self, module: ModuleSource, text: str, owner: str) -> str | Refusal:
        """`text` with `module.name` of the package shortened to `name`, after taking in all that it needs."""
        modules = {}
        for name in sorted(free_names(text)):
            statements = module.bindings.get(name, [])
            inner = module.imported_module(statements[0], name) if len(statements) == 1 else None
            if inner is not None:
                modules[name] = inner
        flat = flatten_attributes(text, frozenset(modules)) if modules else (text, {})
        if flat is None:
            return Refusal("imports", next(iter(sorted(modules))))
        text, used = flat
        for alias, names in sorted(used.items()):
            for name in sorted(names):
                found = modules[alias].exported(name)
                if found is None or found[1] != name:
                    return Refusal("imports", f"{modules[alias].dotted}.{name}")
                if fault := self._take(found[0], name):
                    return fault
        shortened = {name for names in used.values() for name in names}
        self._annotated.append((module, text))
        for name in sorted(free_names(text) - {owner} - shortened):
            if fault := self._take(module, name):
                return fault
        return text

    def _take(self, module: ModuleSource, name: str) -> Refusal | None:
        """Take in what binds `name` in `module`, and what that needs in turn."""
        statements = module.bindings.get(name, [])
        if not statements:
            return None if name in BUILTIN_NAMES else Refusal("unresolved_name", name)
        if len(statements) > 1:
            return Refusal("bound_more_than_once", name)
        statement = statements[0]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return self._take_import(module, statement, name)
        place = (module.dotted, statement.lineno)
        if self._function.name == name and module is self._module:
            return None
        if name in self._owners:
            return None if self._owners[name] == place else Refusal("name_conflict", name)
        if name in self._imports:
            return Refusal("name_conflict", name)
        if fault := foreign_module(statement):
            return Refusal("imports", fault)
        self._owners[name] = place
        text = self._take_source(module, module.text(statement), name)
        if isinstance(text, Refusal):
            del self._owners[name]
            return text
        self._definitions.setdefault(module.dotted, {})[statement.lineno] = text
        return None

    def _take_import(self, module: ModuleSource, statement: ast.Import | ast.ImportFrom, name: str) -> Refusal | None:
        statement = without_backport(statement)
        found = module.imported_binding(statement, name)
        if found is not None:
            return self._take(*found) if found[1] == name else Refusal("imports", f"{found[0].dotted}.{found[1]}")
        if fault := foreign_module(statement):
            return Refusal("imports", fault)
        alias = next(alias for alias in statement.names if bound_alias(alias) == name)
        text = import_statement(statement, [alias])
        if name in self._owners or self._imports.get(name, text) != text:
            return Refusal("name_conflict", name)
        self._imports[name] = text
        return None

    def _ordered(self) -> tuple[str, ...]:
        """Definitions of other files first, in the order in which they were completed, each file's in its own order."""
        others = [dotted for dotted in self._definitions if dotted != self._module.dotted]
        return tuple(text for dotted in [*others, self._module.dotted] for _, text in sorted(self._definitions[dotted].items()))

    def _resolve_annotations(self) -> None:
        """Take in what annotations name where it is an import or one statement; postpone their evaluation if any name stays open."""
        open_names = False
        for module, text in list(self._annotated):
            for name in sorted(annotation_names(text) - BUILTIN_NAMES - set(self._imports) - set(self._owners)):
                statements = module.bindings.get(name, [])
                usable = len(statements) == 1 and isinstance(statements[0], ast.Import | ast.ImportFrom | ast.Assign)
                if not statements and name in typing.__all__:
                    self._imports[name] = f"from typing import {name}"  # it was imported for type checkers alone
                else:
                    open_names |= not usable or self._take(module, name) is not None
        annotated = any(_has_annotations(text) for _, text in self._annotated)
        if open_names or (self._postponed and annotated):
            self._imports["__future__"] = "from __future__ import annotations"


def _has_annotations(source: str) -> bool:
    tree = parse(source)
    nodes = list(ast.walk(tree)) if tree else []
    return any(getattr(node, "annotation", None) or getattr(node, "returns", None) for node in nodes)


def without_underscore(cutout: Cutout) -> Cutout:
    """The cutout with its function under a public name, unless that name stands for something already."""
    private = cutout.function.name
    public = private.lstrip("_")
    texts = [cutout.function.source, *cutout.definitions, *cutout.imports, *(example.source for example in cutout.examples)]
    taken = re.compile(rf"\b{re.escape(public)}\b")
    unusable = not public.isidentifier() or keyword.iskeyword(public) or hasattr(builtins, public)
    if public == private or unusable or any(taken.search(text) for text in texts):
        return cutout
    word = re.compile(rf"\b{re.escape(private)}\b")
    function = replace(cutout.function, name=public, docstring=word.sub(public, cutout.function.docstring))
    examples = tuple(
        doctest.Example(word.sub(public, one.source), one.want, one.exc_msg, one.lineno, one.indent, dict(one.options))
        for one in cutout.examples
    )
    return replace(
        cutout,
        function=function.with_source(word.sub(public, cutout.function.source)),
        definitions=tuple(word.sub(public, text) for text in cutout.definitions),
        examples=examples,
    )

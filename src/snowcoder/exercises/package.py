"""Finds which statement of which file in a package binds an imported name, by syntax alone; nothing is executed.

in: {path in the distribution: text} of the files that may be inlined   out: ModuleSource, by dotted name
"""

import ast
from collections.abc import Mapping
from functools import cached_property

from snowcoder.exercises.names import bound_alias, normalise_newlines, parse, top_level_bindings

# `from .a import x` where a itself imports x from b, and so on
MAX_REEXPORTS = 4


class ModuleSource:
    """One file, parsed once for all its functions. dotted: its module name; package: the files around it."""

    def __init__(self, content: str, path: str = "", package: "Package | None" = None) -> None:
        self.content = normalise_newlines(content)
        self.lines = self.content.split("\n")
        self.tree = parse(self.content) or ast.Module([], [])
        self.dotted = dotted_name(path)
        self.is_package = path.endswith("__init__.py")
        self.package = package

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

    def imported_module(self, statement: ast.stmt, name: str) -> "ModuleSource | None":
        """The file of the package that `name`, bound by an import here, stands for; None if it is no module of the package."""
        if self.package is None or not isinstance(statement, ast.Import | ast.ImportFrom):
            return None
        alias = next(alias for alias in statement.names if bound_alias(alias) == name)
        if isinstance(statement, ast.ImportFrom):
            return self.package.find(f"{self.base(statement)}.{alias.name}")
        return self.package.find(alias.name if alias.asname else name)

    def imported_binding(self, statement: ast.stmt, name: str) -> "tuple[ModuleSource, str] | None":
        """(file, name there) of what `from <module of the package> import <name>` binds here, re-exports followed."""
        if self.package is None or not isinstance(statement, ast.ImportFrom):
            return None
        alias = next(alias for alias in statement.names if bound_alias(alias) == name)
        return self.package.follow(self.base(statement), alias.name)

    def exported(self, name: str) -> "tuple[ModuleSource, str] | None":
        """(file, name there) of what this module of a package calls `name`."""
        return self.package.follow(self.dotted, name) if self.package else None

    def base(self, statement: ast.ImportFrom) -> str:
        """The module that a `from ... import` names, made absolute."""
        if not statement.level:
            return statement.module or ""
        parts = self.dotted.split(".")
        above = parts[: len(parts) - statement.level + self.is_package]
        return ".".join([*above, *([statement.module] if statement.module else [])])


class Package:
    """Files by dotted name, parsed when asked for."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._paths = {dotted_name(path): path for path in sorted(files)}
        self._files = files
        self._parsed: dict[str, ModuleSource] = {}

    def find(self, dotted: str) -> ModuleSource | None:
        """The file of a module; None if it is not of the package."""
        if dotted in self._paths and dotted not in self._parsed:
            path = self._paths[dotted]
            self._parsed[dotted] = ModuleSource(self._files[path], path, self)
        return self._parsed.get(dotted)

    def follow(self, dotted: str, name: str) -> tuple[ModuleSource, str] | None:
        """Where `name` of module `dotted` is defined."""
        for _ in range(MAX_REEXPORTS):
            module = self.find(dotted)
            statements = module.bindings.get(name, []) if module else []
            if module is None or len(statements) != 1:
                return None
            statement = statements[0]
            if not isinstance(statement, ast.ImportFrom):
                return module, name
            alias = next(alias for alias in statement.names if bound_alias(alias) == name)
            if self.find(module.base(statement)) is None:
                return module, name  # an import of the standard library, say
            dotted, name = module.base(statement), alias.name
        return None


def dotted_name(path: str) -> str:
    """`src/toolz/itertoolz.py` -> `toolz.itertoolz`, `toolz/__init__.py` -> `toolz`."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")

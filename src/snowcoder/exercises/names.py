"""Analyses names in Python source: which names a piece of code needs from outside, and which statements bind them.

Nothing is executed or imported: ast and symtable only.
"""

import ast
import builtins
import re
import symtable
import warnings
from functools import lru_cache

BUILTIN_NAMES = frozenset(dir(builtins)) | {"__name__"}
# stands for the names of code that cannot be analysed: nothing binds it, so that such code never counts as self-contained
UNREADABLE = "<unreadable>"


def parse(source: str) -> ast.Module | None:
    """The syntax tree, or None if this Python cannot parse it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def normalise_newlines(source: str) -> str:
    """LF only, so that line numbers of the syntax tree index `source.split("\\n")`."""
    return re.sub(r"\r\n?", "\n", source)


def free_names(source: str) -> frozenset[str]:
    """Names that `source` reads and does not bind itself; names in annotations of functions are left out (annotation_names)."""
    return analyse_names(source)[0]


def annotation_names(source: str) -> frozenset[str]:
    """Names read by annotations of functions in `source` and by nothing else there."""
    return analyse_names(source)[1]


@lru_cache(maxsize=4096)  # the same helpers are met from many functions
def analyse_names(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """(free_names, annotation_names) of `source`; ({UNREADABLE}, {}) where it cannot be analysed."""
    tree = parse(source)
    if tree is None:
        return frozenset({UNREADABLE}), frozenset()
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound = bound_names(tree)
    try:
        free = _free_names(tree)
    except (SyntaxError, ValueError, RecursionError):  # what a parser lets pass: an argument named twice, a number of 5000 digits
        return frozenset({UNREADABLE}), frozenset()
    return frozenset(free), frozenset(read - free - bound)


def _free_names(tree: ast.Module) -> set[str]:
    stripped = ast.unparse(ast.fix_missing_locations(_WithoutAnnotations().visit(tree)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = symtable.symtable(stripped, "<source>", "exec")
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    own |= {child.get_name() for child in table.get_children()}
    # a function that declares a global may bind it, but lives from the module's own binding
    declared = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    return (_global_names(table) - own) | declared


def bound_names(tree: ast.AST) -> set[str]:
    """Every name that is stored, defined, imported or an argument anywhere in `tree`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(bound_alias(node))
    return names


def bound_alias(alias: ast.alias) -> str:
    """The name that one part of an import statement binds."""
    return alias.asname or alias.name.split(".")[0]


def import_statement(node: ast.Import | ast.ImportFrom, aliases: list[ast.alias]) -> str:
    """The import statement `node`, cut down to `aliases`."""
    if isinstance(node, ast.ImportFrom):
        return ast.unparse(ast.ImportFrom(node.module, aliases, node.level))
    return ast.unparse(ast.Import(aliases))


def top_level_bindings(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Name -> the top-level statements that bind it. `if TYPE_CHECKING:` blocks and type checkers' overloads bind nothing at run time."""
    bindings: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        if _is_typing_only(statement):
            continue
        for name in _statement_names(statement):
            bindings.setdefault(name, []).append(statement)
    return bindings


def _statement_names(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {bound_alias(alias) for alias in statement.names}
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = (node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
        return {name.id for name in names if isinstance(name.ctx, ast.Store)}
    if isinstance(statement, ast.Try | ast.If):
        inner = [*statement.body, *statement.orelse]
        inner += [child for handler in getattr(statement, "handlers", []) for child in handler.body]
        return {name for child in inner for name in _statement_names(child)}
    return set()


def _is_typing_only(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return "TYPE_CHECKING" in ast.unparse(statement.test)
    decorators = getattr(statement, "decorator_list", [])
    return any(ast.unparse(decorator) in ("overload", "typing.overload", "t.overload") for decorator in decorators)


def _global_names(table: symtable.SymbolTable) -> set[str]:
    top = table.get_type() == "module"
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and (top or symbol.is_global())}
    for child in table.get_children():
        names |= _global_names(child)
    return names


class _WithoutAnnotations(ast.NodeTransformer):
    """Drops the annotations that need not be evaluated: of arguments, of returns, of local variables."""

    def __init__(self) -> None:
        self._inside_function = False

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outside, self._inside_function = self._inside_function, True
        node.returns = None
        self.generic_visit(node)
        self._inside_function = outside
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        outside, self._inside_function = self._inside_function, False
        self.generic_visit(node)
        self._inside_function = outside
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if not self._inside_function:
            return node
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

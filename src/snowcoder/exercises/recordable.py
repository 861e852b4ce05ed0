"""Decides which functions are worth running to record tests: not those that return nothing or depend on the machine or an object.

Decided by syntax, before a sandbox is started for it.
"""

import ast

from snowcoder.exercises.cutout import Cutout
from snowcoder.exercises.names import parse

# what depends on the machine, the moment or the interpreter; results of these would be recorded as if they were the function's
ENVIRONMENT_MODULES = frozenset(
    {"platform", "locale", "tempfile", "gc", "shutil", "glob", "importlib", "traceback", "ctypes", "signal", "sqlite3", "pathlib"}
    | {"getpass", "site", "sysconfig", "pkgutil", "concurrent", "select", "ssl", "io", "inspect"}
)
ENVIRONMENT_NAMES = frozenset({"hash", "id", "open", "input", "globals", "locals", "exec", "eval", "__import__", "exit", "quit"})
# modules of which some names are the same everywhere
PURE_NAMES = {"os": frozenset({"path", "fspath", "sep"}), "sys": frozenset({"maxsize", "maxunicode", "float_info"})}
IMPURE_PATH_NAMES = frozenset(
    {"exists", "isfile", "isdir", "abspath", "realpath", "expanduser", "expandvars", "getmtime", "getsize", "lexists"}
)
# attributes of the values that arguments are made of
LITERALS: tuple[object, ...] = ("", b"", [], {}, {0}, (), 0, 0.5, range(0), iter([]), len)
KNOWN_ATTRIBUTES = frozenset(name for value in LITERALS for name in dir(value))


def why_not_recordable(cutout: Cutout, solution: str) -> str:
    """A reason, or ''. solution: the cutout rendered."""
    tree, own = parse(solution), parse(cutout.function.source)
    node = own.body[0] if own else None
    if tree is None or not isinstance(node, ast.FunctionDef):
        return "not_a_plain_function"
    if not (node.args.args or node.args.posonlyargs or node.args.kwonlyargs or node.args.vararg):
        return "no_parameters"
    if not _gives_back(node):
        return "returns_nothing"
    if _depends_on_environment(tree):
        return "depends_on_environment"
    return "needs_an_object" if _needs_object(node) else ""


def _gives_back(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Yield | ast.YieldFrom) or (isinstance(node, ast.Return) and node.value is not None)
        for node in ast.walk(function)
    )


def _depends_on_environment(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ENVIRONMENT_NAMES:
            return True
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr not in PURE_NAMES.get(node.value.id, {node.attr})
        ):
            return True
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_PATH_NAMES:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module in PURE_NAMES or _is_environment(node.module or "")):
            return True
        if isinstance(node, ast.Import) and any(_is_environment(alias.name) for alias in node.names):
            return True
    return False


def _is_environment(module: str) -> bool:
    return module.split(".")[0] in ENVIRONMENT_MODULES


def _needs_object(function: ast.FunctionDef) -> bool:
    """A required parameter has an attribute read that no literal has."""
    parameters = function.args
    positional = [*parameters.posonlyargs, *parameters.args]
    required = {argument.arg for argument in positional[: len(positional) - len(parameters.defaults)]}
    reads = (node for node in ast.walk(function) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    return any(isinstance(node.value, ast.Name) and node.value.id in required and node.attr not in KNOWN_ATTRIBUTES for node in reads)

"""Turns Python code into the tokens of its syntax tree, which formatting, comments, annotations, imports and docstrings do not change.

Preorder: a node's type, then its fields. Names are variables, arguments, functions and classes; builtins, attributes, keywords, operators
and constants are literals. A builtin that the outermost function around it rebinds is a name there, and so is `self.method` where the
class defines that method: a function reads the same within a class.
"""

import ast
import builtins
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from snowcoder.decontamination.embedded_code import holds_code
from snowcoder.decontamination.token_stream import TokenStream, make_stream

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
_BUILTINS = frozenset(dir(builtins))
# Fields that do not say what code does
_SKIPPED_FIELDS = frozenset(
    {"ctx", "annotation", "returns", "type_comment", "decorator_list", "type_ignores", "type_params", "simple", "kind", "level"}
)
# Fields of text that hold a variable's name; elsewhere (attributes, keyword arguments) text is a literal
_NAMING_FIELDS = {
    **dict.fromkeys(("ExceptHandler", "ClassDef", "FunctionDef", "AsyncFunctionDef", "MatchAs", "MatchStar"), "name"),
    **{"Global": "names", "Nonlocal": "names", "MatchMapping": "rest", "arg": "arg"},
}


@dataclass(frozen=True, slots=True)
class PythonTree:
    """content: the text that was read. stream: the tokens of a module. nodes: for each token the node that it belongs to. bodies: of each
    function with its name, first token and number of tokens. strings: those that hold code.
    """

    content: str
    stream: TokenStream
    nodes: list[ast.AST]
    bodies: list[tuple[str, int, int]]
    strings: list[ast.Constant]

    def span(self, start: int, count: int) -> tuple[int, int]:
        """(first character, one past the last) of `count` tokens from `start` on, in the text that was read."""
        return self._span([node for node in self.nodes[start : start + count] if isinstance(node, ast.stmt | ast.expr)])

    def embedded(self) -> Iterator[str]:
        """The value of each string that holds code."""
        for string in self.strings:
            assert isinstance(string.value, str)
            yield textwrap.dedent(string.value)

    def embedded_span(self, number: int) -> tuple[int, int]:
        """(first character, one past the last) of the string that `embedded` returns at that place."""
        return self._span([self.strings[number]])

    def _span(self, placed: Sequence[ast.stmt | ast.expr]) -> tuple[int, int]:
        lines = self.content.encode("utf-8", "surrogatepass").split(b"\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line.decode("utf-8", "surrogatepass")) + 1)

        def place(line: int, column: int) -> int:
            return starts[line - 1] + len(lines[line - 1][:column].decode("utf-8", "surrogatepass"))

        first = min((node.lineno, node.col_offset) for node in placed)
        last = max((node.end_lineno or node.lineno, node.end_col_offset or node.col_offset) for node in placed)
        return place(*first), place(*last)


def read_python(content: str) -> PythonTree | None:
    """The tree's tokens, or None if the text is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(content)
        writer = _Writer()
        writer.write(tree)
    except _UNPARSABLE:
        return None
    return PythonTree(content, make_stream(writer.tokens, writer.is_name), writer.nodes, writer.bodies, writer.strings)


class _Writer:
    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.is_name: list[bool] = []
        self.nodes: list[ast.AST] = []
        self.bodies: list[tuple[str, int, int]] = []
        self.strings: list[ast.Constant] = []
        self._methods: frozenset[str] = frozenset()
        self._depth = 0
        self._builtin_places: list[int] = []
        self._bound_builtins: set[str] = set()

    def write(self, node: ast.AST) -> None:
        """Append the tokens of a node and of all below it."""
        write = _SPECIAL.get(type(node))
        if write is None:
            self._fields(node)
        else:
            write(self, node)

    def name(self, node: ast.Name) -> None:
        self._name(node, node.id, not isinstance(node.ctx, ast.Load))

    def constant(self, node: ast.Constant) -> None:
        self._literal(node, f"{type(node.value).__name__} {node.value!r}")
        self._string(node)

    def attribute(self, node: ast.Attribute) -> None:
        if node.attr in self._methods and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            self._name(node, node.attr, False)
            return
        self._literal(node, f".{node.attr}")
        self.write(node.value)

    def nothing(self, node: ast.AST) -> None:
        """Imports and `pass`: moved, merged or added without a change of what code does."""

    def expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):  # a docstring
            self._string(node.value)
        else:
            self._fields(node)

    def annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._literal(node, "Assign")
            self.write(node.target)
            self.write(node.value)

    def class_definition(self, node: ast.ClassDef) -> None:
        outer = self._methods
        self._methods = frozenset(part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
        self._fields(node)
        self._methods = outer

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if self._depth == 0:
            self._builtin_places, self._bound_builtins = [], set()
        self._depth += 1
        self._literal(node, type(node).__name__)
        self._name(node, node.name, True)
        self.write(node.args)
        start = len(self.tokens)
        for statement in node.body:
            self.write(statement)
        self.bodies.append((node.name, start, len(self.tokens) - start))
        self._depth -= 1
        if self._depth == 0 and self._bound_builtins:
            for place in self._builtin_places:
                self.is_name[place] = self.tokens[place] in self._bound_builtins

    def _fields(self, node: ast.AST) -> None:
        kind = type(node)
        self._literal(node, kind.__name__)
        naming = _NAMING_FIELDS.get(kind.__name__)
        for field in _FIELDS.get(kind) or _fields_of(kind):
            value = getattr(node, field, None)
            if isinstance(value, ast.AST):
                self.write(value)
                continue
            if field == "orelse" and value:
                self._literal(node, "Else")
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, ast.AST):
                    self.write(item)
                elif field == naming and item is not None:
                    self._name(node, item, True)
                elif item is not None:
                    self._literal(node, f"{field} {item!r}")

    def _name(self, node: ast.AST, name: str, binds: bool) -> None:
        if name in _BUILTINS:
            self._builtin_places.append(len(self.tokens))
            if binds:
                self._bound_builtins.add(name)
            self.is_name.append(False)
        else:
            self.is_name.append(True)
        self.tokens.append(name)
        self.nodes.append(node)

    def _string(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and holds_code(node.value):
            self.strings.append(node)

    def _literal(self, node: ast.AST, text: str) -> None:
        self.tokens.append(text)
        self.is_name.append(False)
        self.nodes.append(node)


def _fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    return _FIELDS.setdefault(kind, tuple(field for field in kind._fields if field not in _SKIPPED_FIELDS))


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
_SPECIAL: dict[type[ast.AST], Callable[..., None]] = {
    ast.Name: _Writer.name,
    ast.Constant: _Writer.constant,
    ast.Attribute: _Writer.attribute,
    **dict.fromkeys((ast.Import, ast.ImportFrom, ast.Pass), _Writer.nothing),
    ast.Expr: _Writer.expression,
    ast.AnnAssign: _Writer.annotated,
    ast.ClassDef: _Writer.class_definition,
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef), _Writer.function),
}

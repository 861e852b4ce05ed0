"""Builds argument lists to try a function on, from its syntax alone; nothing is executed.

in: the function's source and its file   out: argument lists as source text (`[3, 1, 2], reverse=True`), without repetition, a fixed order:
literal calls of the function in its own file (its examples come first), then lists made from the signature. What a parameter may be comes
from its annotation, else from the docstring's type, else from its default, else from how the body uses it, else from its name.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from snowcoder.exercises.names import parse
from snowcoder.exercises.sample_values import ANNOTATIONS, ANY, ITERABLE, KINDS, TYPE_WORDS, values_by_name

# how far apart the values of the first, second, ... parameter are taken, so that combinations differ: primes
STRIDES = (1, 3, 5, 7, 11, 13)
MAX_BODY_STRINGS = 8
# what a string must look like for a method with a constant argument to find something
AFFIXES = {
    **dict.fromkeys(("startswith", "removeprefix"), "{}example"),
    **dict.fromkeys(("endswith", "removesuffix"), "example{}"),
    **dict.fromkeys(("split", "rsplit"), "one{0}two{0}three"),
    **dict.fromkeys(("partition", "rpartition"), "one{}two"),
    **{"replace": "a{}b", "find": "ab{}c", "count": "{0}a{0}"},
}
STRING_METHODS = frozenset(name for name in dir(str) if not name.startswith("_")) - {"index", "count"}
NUMERIC_OPERATORS = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow, ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift)


def candidate_arguments(source: str, examples: Sequence[str], tree: ast.Module, limit: int) -> list[str]:
    """At most `limit` argument lists for the function defined by `source`.

    examples: statements of its docstring; tree: its file, searched for calls of it.
    """
    parsed = parse(source)
    assert parsed is not None
    function = parsed.body[0]
    assert isinstance(function, ast.FunctionDef)
    programs = [*(parse(example) for example in examples), tree]
    called = chain.from_iterable(literal_calls(program, function.name) for program in programs if program is not None)
    return list(islice(dict.fromkeys(chain(islice(dict.fromkeys(called), limit // 2), made_arguments(function))), limit))


def literal_calls(tree: ast.AST, name: str) -> Iterator[str]:
    """Argument lists of the calls of `name` in `tree` that hold literals only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if called == name and values and all(_is_literal(value) for value in values) and all(keyword.arg for keyword in node.keywords):
                yield ", ".join([ast.unparse(argument) for argument in node.args] + [ast.unparse(keyword) for keyword in node.keywords])


def made_arguments(function: ast.FunctionDef) -> Iterator[str]:
    """Argument lists from the signature: required parameters first, then one optional parameter at a time given too."""
    parameters = function.args
    positional = [*parameters.posonlyargs, *parameters.args]
    required = positional[: len(positional) - len(parameters.defaults)]
    # what fills a starred parameter fills the optional ones before it first
    optional = [] if parameters.vararg else list(zip(positional[len(required) :], parameters.defaults, strict=True))
    keyword_only = list(zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True))
    needed = [argument for argument, default in keyword_only if default is None]
    optional += [(argument, default) for argument, default in keyword_only if default is not None]
    pools = [values_of(argument, None, function) for argument in [*required, *needed]]
    if parameters.vararg:
        pools.append(values_of(parameters.vararg, None, function))
    names = [""] * len(required) + [f"{argument.arg}=" for argument in needed] + ([""] if parameters.vararg else [])
    extras = [(f"{argument.arg}=", values_of(argument, default, function)) for argument, default in optional]
    longest = max((len(pool) for pool in pools), default=1)
    for turn in range(2 * longest):
        chosen = [f"{name}{value}" for name, value in zip(names, _turn(pools, turn), strict=True)]
        # a starred parameter comes before those given by name
        if parameters.vararg and needed:
            chosen.insert(len(required), chosen.pop())
        yield ", ".join(chosen)
        for number, (name, pool) in enumerate(extras):
            if (turn + number) % 2 == 0 or len(extras) == 1:
                yield ", ".join([*chosen, f"{name}{pool[turn % len(pool)]}"])


def values_of(argument: ast.arg, default: ast.expr | None, function: ast.FunctionDef) -> tuple[str, ...]:
    """Values for one parameter; strings that the body compares with are among those for text."""
    kinds = _annotated_kinds(argument.annotation) or _described_kinds(argument.arg, function)
    kinds = kinds or _default_kinds(default) or _used_kinds(argument.arg, function)
    by_name = values_by_name(argument.arg)
    if by_name and (not kinds or (kinds == ("str",) and by_name[0] not in KINDS)):
        kinds = by_name
    elif kinds and by_name and set(by_name) & set(kinds):
        kinds = tuple(kind for kind in by_name if kind in kinds)
    pools = [KINDS.get(kind, (kind,)) for kind in kinds or ANY]
    values = tuple(dict.fromkeys(_interleave(pools)))
    if any(value[0] in "\"'" for value in values):
        values = (*values[:2], *_body_strings(function), *values[2:])
    return tuple(dict.fromkeys(values))


def _turn(pools: Sequence[Sequence[str]], turn: int) -> list[str]:
    return [
        pool[(turn * STRIDES[number % len(STRIDES)] + (turn // len(pool) if number else 0)) % len(pool)]
        for number, pool in enumerate(pools)
    ]


def _interleave(pools: Sequence[Sequence[str]]) -> Iterator[str]:
    for turn in range(max(len(pool) for pool in pools)):
        yield from (pool[turn] for pool in pools if turn < len(pool))


def _annotated_kinds(annotation: ast.expr | None) -> tuple[str, ...]:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        tree = parse(annotation.value)
        annotation = tree.body[0].value if tree and tree.body and isinstance(tree.body[0], ast.Expr) else None
    if annotation is None:
        return ()
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return ("none",)
    if isinstance(annotation, ast.BinOp):
        return tuple(dict.fromkeys(_annotated_kinds(annotation.left) + _annotated_kinds(annotation.right)))
    if isinstance(annotation, ast.Subscript):
        return _subscripted_kinds(annotation)
    return ANNOTATIONS.get(_last_name(annotation).lower(), ())


def _subscripted_kinds(annotation: ast.Subscript) -> tuple[str, ...]:
    outer = _last_name(annotation.value).lower()
    inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    if outer in ("optional", "union"):
        kinds = tuple(dict.fromkeys(chain.from_iterable(_annotated_kinds(part) for part in inner)))
        return (*kinds, "none") if outer == "optional" and kinds else kinds
    if outer == "literal":
        return tuple(ast.unparse(part) for part in inner)
    kinds = ANNOTATIONS.get(outer, ())
    within = _annotated_kinds(inner[0])[:1]
    narrowed = {"str": "strings", "int": "numbers", "float": "numbers", "dict": "dicts", "tuple": "lists", "list": "lists"}
    kind = narrowed.get(within[0]) if within else None
    return (kind,) if kind and kind in kinds else kinds


def _described_kinds(name: str, function: ast.FunctionDef) -> tuple[str, ...]:
    """What the docstring says in reST (`:type x: str`, `:param str x:`), in Google's (`x (str): ...`) or NumPy's way (`x : str`)."""
    text, name = ast.get_docstring(function) or "", re.escape(name)
    forms = rf":type\s+{name}:(.*)|:param\s+([^:]+)\s{name}:|^\s*{name}\s*\(([^)]*)\)\s*:|^\s*{name}\s+:\s(.*)"
    found = re.search(forms, text, re.MULTILINE)
    said = next(filter(None, found.groups()), "") if found else ""
    matches = [(match.start(), kinds) for pattern, kinds in TYPE_WORDS if (match := pattern.search(said))]
    return min(matches, key=lambda match: match[0])[1] if matches else ()


def _default_kinds(default: ast.expr | None) -> tuple[str, ...]:
    if isinstance(default, ast.Constant) and default.value is not None:
        return {bool: ("bool",), int: ("int",), float: ("float", "int"), str: ("str",), bytes: ("bytes",)}.get(type(default.value), ())
    displays = ((ast.Dict, "dict"), (ast.Tuple, "tuple"), (ast.List, "numbers"), (ast.Set, "set"), (ast.Lambda, "function"))
    return next(((kind,) for display, kind in displays if isinstance(default, display)), ())


def _used_kinds(name: str, function: ast.FunctionDef) -> tuple[str, ...]:
    """What the body does with `name`: () where it does not tell."""
    found: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and _is_name(node.value, name):
            found += ["str"] if node.attr in STRING_METHODS else ["dict"] if node.attr in ("items", "keys", "values", "get", "pop") else []
        elif isinstance(node, ast.Call) and _is_name(node.func, name):
            found.append("function")
        elif isinstance(node, ast.Call) and _name(node.func) == "isinstance" and _is_name(node.args[0], name) and len(node.args) == 2:
            types = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
            found += chain.from_iterable(ANNOTATIONS.get(_last_name(part).lower(), ()) for part in types)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, NUMERIC_OPERATORS) and name in (_name(node.left), _name(node.right)):
            found += ["int", "float"]
        elif (isinstance(node, ast.For | ast.comprehension) and _is_name(node.iter, name)) or (
            isinstance(node, ast.Call)
            and _name(node.func) in ("len", "sorted", "sum", "enumerate")
            and node.args
            and _is_name(node.args[0], name)
        ):
            found += ITERABLE
    return tuple(dict.fromkeys(found))


def _body_strings(function: ast.FunctionDef) -> list[str]:
    """Short strings that the body compares something with, and ones that its string methods would find something in."""
    found = []
    for statement in function.body:
        for node in ast.walk(statement):
            parts = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            parts = [inner for part in parts for inner in (part.elts if isinstance(part, ast.Tuple | ast.List | ast.Set) else [part])]
            found += [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in AFFIXES and node.args:
                texts = node.args[0].elts if isinstance(node.args[0], ast.Tuple) else [node.args[0]]
                affixes = [text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)]
                found += [AFFIXES[node.func.attr].format(affix) for affix in affixes if "{" not in affix]
    return [repr(text) for text in dict.fromkeys(found) if 0 < len(text) <= 24][:MAX_BODY_STRINGS]


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else _name(node)

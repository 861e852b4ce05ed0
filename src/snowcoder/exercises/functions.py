"""Finds the documented top-level functions and classes of a Python file by syntax alone; nothing is executed.

in: the text of a file   out: DocumentedFunction records, in the order of the file
"""

import ast
import doctest
from dataclasses import dataclass, replace

from snowcoder.exercises.names import BUILTIN_NAMES, analyse_names, bound_alias, import_statement, normalise_newlines, parse

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class DocumentedFunction:
    """One top-level function, or class, with a docstring and a body.

    source: decorators to last line, as in the file. signature: its lines before the docstring. body: its lines after the docstring.
    prompt: the import statements of the file that it needs, signature, docstring; `prompt + body` is its whole runnable source, provided
    that `dependencies` is empty.
    imports: those import statements. dependencies: names that it needs from the rest of the file (not imports, not builtins), sorted.
    docstring: its value, unindented. examples: its doctest examples; of a class, those of its methods too.
    """

    name: str
    source: str
    signature: str
    prompt: str
    body: str
    docstring: str
    examples: tuple[doctest.Example, ...]
    imports: tuple[str, ...]
    dependencies: tuple[str, ...]

    def with_source(self, source: str) -> "DocumentedFunction":
        """The same with another source, in which no docstring has changed."""
        tree = parse(source)
        assert tree is not None
        assert isinstance(tree.body[0], Definition), source
        changed = _describe(tree.body[0], source.split("\n"), tree)
        assert changed is not None, source
        return replace(self, source=source, signature=changed.signature, body=changed.body)


def extract_functions(content: str, only_with_examples: bool = False) -> list[DocumentedFunction]:
    """Documented top-level functions of `content`; [] where this Python cannot parse it. only_with_examples: only those with doctests."""
    content = normalise_newlines(content)
    tree = parse(content)
    if tree is None:
        return []
    lines = content.split("\n")
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = (_describe(node, lines, tree) for node in nodes if not only_with_examples or ">>>" in (ast.get_docstring(node) or ""))
    return [function for function in found if function is not None]


def extract_classes(content: str) -> list[DocumentedFunction]:
    """Documented top-level classes with examples in their own docstring or in those of their methods."""
    content = normalise_newlines(content)
    tree = parse(content)
    nodes = [node for node in tree.body if isinstance(node, ast.ClassDef)] if tree else []
    found = []
    for node in nodes:
        assert tree is not None
        described = _describe(node, content.split("\n"), tree)
        methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
        docstrings = [ast.get_docstring(node) or "", *(ast.get_docstring(method) or "" for method in methods)]
        examples = tuple(part for text in docstrings for part in parse_examples(text) if isinstance(part, doctest.Example))
        if described is not None and examples:
            found.append(replace(described, examples=examples))
    return found


def parse_examples(docstring: str) -> list[str | doctest.Example]:
    """Prose and doctest examples of a docstring, in order; prose alone where its examples are malformed."""
    try:
        return doctest.DocTestParser().parse(docstring)
    except ValueError:
        return [docstring]


def _describe(node: Definition, lines: list[str], tree: ast.Module) -> DocumentedFunction | None:
    docstring = ast.get_docstring(node)
    if not docstring or not docstring.strip() or not _has_body(node):
        return None
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    quoted, end = node.body[0], node.end_lineno or node.lineno
    quoted_end = quoted.end_lineno or quoted.lineno
    if quoted.lineno <= node.lineno or node.body[1].lineno <= quoted_end:
        return None  # written on one line: it cannot be cut into lines
    source = "\n".join(lines[first - 1 : end]) + "\n"
    needed = set[str]().union(*analyse_names(source))
    imports = tuple(_needed_imports(tree, needed))
    imported = {bound_alias(alias) for statement in imports for alias in _aliases(statement)}
    head = "\n".join(lines[first - 1 : quoted_end]) + "\n"
    return DocumentedFunction(
        name=node.name,
        source=source,
        signature="\n".join(lines[first - 1 : quoted.lineno - 1]) + "\n",
        prompt="".join(f"{statement}\n" for statement in imports) + ("\n\n" if imports else "") + head,
        body="\n".join(lines[quoted_end:end]) + "\n",
        docstring=docstring,
        examples=tuple(part for part in parse_examples(docstring) if isinstance(part, doctest.Example)),
        imports=imports,
        dependencies=tuple(sorted(needed - imported - BUILTIN_NAMES - {node.name})),
    )


def _has_body(node: Definition) -> bool:
    """More than a docstring and a placeholder."""
    rest = node.body[1:]
    if len(rest) == 1:
        only = rest[0]
        placeholder = isinstance(only, ast.Pass | ast.Raise) or (isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant))
        return not placeholder
    return bool(rest)


def _needed_imports(tree: ast.Module, needed: set[str]) -> list[str]:
    """Import statements at the top level, cut down to the names needed; `from __future__` always stays."""
    statements = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            names = [alias for alias in node.names if future or bound_alias(alias) in needed]
            if names:
                statements.append(import_statement(node, names))
    return statements


def _aliases(statement: str) -> list[ast.alias]:
    node = ast.parse(statement).body[0]
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []

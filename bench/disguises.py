"""Disguises of a benchmark problem: the forms in which a corpus may contain a copy of it.

in: a Problem   out: the text of a file, or None where the disguise does not apply (no tests are published, nothing can be reordered)

Every disguise of a solution leaves out the docstring, and all but two call the function by another name: the code has to betray it.
"""

import ast
import io
import json
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from itertools import pairwise

from snowcoder.benchmarks.problem import Problem

OTHER_NAME = "work_out"
# ordinary code around a copy, so that no copy is the whole file
BEFORE = "import os\n\n\ndef before():\n    return os.getcwd()\n\n\n"
AFTER = "\n\n\ndef after():\n    return 2\n"
EXAMPLES = re.compile(r"^\s*(>>>|assert\b)", re.MULTILINE)


class Renamer(ast.NodeTransformer):
    """Renames what a program binds: variables, arguments, functions."""

    def __init__(self, tree: ast.Module, prefix: str) -> None:
        bound = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        bound += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
        bound += [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.names = {name: f"{prefix}{number}" for number, name in enumerate(dict.fromkeys(bound))}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)


class _MethodCalls(ast.NodeTransformer):
    """Calls of functions that have become methods."""

    def __init__(self, methods: set[str]) -> None:
        self.methods = methods

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in self.methods:
            node.func = ast.Attribute(ast.Name("self", ast.Load()), node.func.id, ast.Load())
        return self.generic_visit(node)


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree without any docstring; changed in place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])
    return tree


def renamed_solution(problem: Problem, prefix: str) -> str:
    """The whole solution, its docstrings gone, every name changed, and laid out anew by ast.unparse."""
    tree = without_docstrings(ast.parse(problem.prompt + problem.canonical_solution))
    return ast.unparse(ast.fix_missing_locations(Renamer(tree, prefix).visit(tree)))


def verbatim(problem: Problem) -> str:
    """Prompt and solution in a larger file."""
    return BEFORE + problem.prompt + problem.canonical_solution + AFTER


def statement_as_docstring(problem: Problem) -> str:
    """The description alone, without examples, as another function's docstring."""
    return f"{BEFORE}def {OTHER_NAME}(task):\n    '''{description(problem)}\n    '''\n    raise NotImplementedError{AFTER}"


def statement_as_comment(problem: Problem) -> str:
    """The description alone, in lines of a comment."""
    return BEFORE + "\n".join(f"# {line}" for line in textwrap.wrap(description(problem), 60)) + AFTER


def statement_in_notebook(problem: Problem) -> str:
    """The description alone, in a Markdown cell of a notebook as stored on disk."""
    lines = [f"{line}\n" for line in ("## Task", "", *textwrap.wrap(description(problem), 60))]
    return json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": lines}], "nbformat": 4}, indent=1)


def assertions_alone(problem: Problem) -> str | None:
    """The published assertions in a test file, of a function that is imported."""
    found = [ast.get_source_segment(problem.test, node) or "" for node in ast.walk(ast.parse(problem.test)) if isinstance(node, ast.Assert)]
    if not found:
        return None
    lines = "\n".join("    " + re.sub(r"\bcandidate\b", problem.entry_point, text) for text in found)
    return f"from answers import {problem.entry_point}\n\n\ndef test_answers():\n{lines}\n"


def solution_alone(problem: Problem) -> str:
    """The solution as it is written, comments included, under its own name."""
    return BEFORE + _own_code(problem) + AFTER


def function_renamed(problem: Problem) -> str:
    """The same with another name of the function."""
    return BEFORE + _code(problem) + AFTER


def reformatted(problem: Problem) -> str:
    """Laid out anew by ast.unparse, without comments."""
    return BEFORE + ast.unparse(ast.parse(_code(problem))) + AFTER


def names_changed(problem: Problem) -> str:
    """Every name changed, and laid out anew."""
    return BEFORE + renamed_solution(problem, "zz_") + AFTER


def method_of_class(problem: Problem) -> str:
    """Its functions are methods of a class."""
    tree = ast.parse(_code(problem))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    tree = _MethodCalls({node.name for node in functions}).visit(tree)
    for node in functions:
        node.args.args.insert(0, ast.arg("self"))
    rest = [node for node in tree.body if node not in functions]
    return BEFORE + ast.unparse(ast.fix_missing_locations(ast.Module([*rest, ast.ClassDef("Answers", [], [], functions, [])], []))) + AFTER


def type_hints_changed(problem: Problem) -> str:
    """Type hints are taken away, or added where there are none; the function has its own name."""
    tree = ast.parse(_own_code(problem))
    for node in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        hint = None if node.returns or any(argument.annotation for argument in arguments) else ast.Name("object", ast.Load())
        node.returns = hint
        for argument in arguments:
            argument.annotation = hint
    return BEFORE + ast.unparse(ast.fix_missing_locations(tree)) + AFTER


def tabs_quotes_and_split_lines(problem: Problem) -> str:
    """Indented by tabs, with the other quotes, and a new line after every comma within brackets."""
    return BEFORE + "".join(_relayed(ast.unparse(ast.parse(_code(problem))))) + AFTER


def statements_reordered(problem: Problem) -> str | None:
    """Neighbouring statements that do not depend on each other are swapped."""
    tree = ast.parse(_code(problem))
    swapped = [_swap_independent(node.body) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.For | ast.While | ast.If)]
    return BEFORE + ast.unparse(tree) + AFTER if any(swapped) else None


def inside_a_string(problem: Problem) -> str:
    """The code is the value of a string."""
    return f"{BEFORE}SOURCE = {_code(problem)!r}{AFTER}"


def renamed_inside_a_string(problem: Problem) -> str:
    """The code is the value of a string, and every name is changed."""
    return f"{BEFORE}SOURCE = {renamed_solution(problem, 'zz_')!r}{AFTER}"


STATEMENT_DISGUISES: tuple[Callable[[Problem], str | None], ...] = (
    statement_as_docstring,
    statement_as_comment,
    statement_in_notebook,
)
CODE_DISGUISES: tuple[Callable[[Problem], str | None], ...] = (
    solution_alone,
    function_renamed,
    reformatted,
    names_changed,
    method_of_class,
    type_hints_changed,
    tabs_quotes_and_split_lines,
    statements_reordered,
    inside_a_string,
    renamed_inside_a_string,
)
DISGUISES: tuple[Callable[[Problem], str | None], ...] = (verbatim, *STATEMENT_DISGUISES, assertions_alone, *CODE_DISGUISES)


def description(problem: Problem) -> str:
    """The statement without head and examples."""
    tree = ast.parse(problem.prompt)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == problem.entry_point]
    text = ast.get_docstring(functions[0]) if functions else ast.get_docstring(tree)
    text = (text or problem.prompt).replace("'''", '"""').replace("\\", "")
    return EXAMPLES.split(text)[0].strip() or text


def _own_code(problem: Problem) -> str:
    """The solution without docstrings; the lines that are left are as they were."""
    source = problem.prompt + problem.canonical_solution
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.Module) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            for number in range(docstring.lineno - 1, docstring.end_lineno or docstring.lineno):
                lines[number] = ""
    return "\n".join(line for line in lines if line.strip()) + "\n"


def _code(problem: Problem) -> str:
    """The solution without docstrings, its function under another name."""
    return re.sub(rf"\b{re.escape(problem.entry_point)}\b", OTHER_NAME, _own_code(problem))


def _relayed(code: str) -> Iterator[str]:
    depth, line_started = 0, False
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        if token.type in (tokenize.NEWLINE, tokenize.NL):
            yield "\n"
            line_started = False
            continue
        if not line_started:
            yield "\t" * (token.start[1] // 4)
            line_started = True
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
        yield f"{_other_quotes(token.string) if token.type == tokenize.STRING else token.string} "
        if token.string == "," and depth:
            yield "\n" + "\t" * 3


def _other_quotes(literal: str) -> str:
    if literal[0] == "'" and '"' not in literal and "\\" not in literal:
        return f'"{literal[1:-1]}"'
    return literal


def _swap_independent(body: list[ast.stmt]) -> bool:
    """Swap the first pair of neighbours in `body` of which neither reads or calls what the other binds; False if there is none."""
    for place, (one, two) in enumerate(pairwise(body)):
        if isinstance(one, ast.Assign) and isinstance(two, ast.Assign) and _independent(one, two):
            body[place], body[place + 1] = two, one
            return True
    return False


def _independent(one: ast.Assign, two: ast.Assign) -> bool:
    names = [_names(statement) for statement in (one, two)]
    bound = [set().union(*(_names(target) for target in statement.targets)) for statement in (one, two)]
    return bound[0].isdisjoint(names[1]) and bound[1].isdisjoint(names[0])


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

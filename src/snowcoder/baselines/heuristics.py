"""Scores that need no model: how short a file is, how many loops and how much arithmetic it has, how much of it explains.

in: language and text of a file   out: float64 scores, higher = chosen first

shortest    -(bytes): short files first, which on HumanEval prunes as well as embeddings do (Singh et al. 2024, arXiv 2407.00434).
loops       loops and arithmetic operations per line that is not blank. Python: those of its syntax tree; comprehensions are loops, + or
            % with a string literal is no arithmetic. Other languages, and Python that does not parse: words such as `for`, and operators
            with blanks on both sides, in lines that are no comments.
docstrings  share of the characters, blanks around lines aside, that are in lines of docstrings (Python that parses) or of comments (as
            snowcoder.filtering.signals knows them; 0 where it does not know a language's comments).
"""

import ast
import re
import warnings

from snowcoder.filtering.signals import COMMENT_STARTS, PYTHON, comment_fraction

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_LINE_END = re.compile(r"\r\n|\r|\n")  # those of Python's grammar
_LOOP_OR_ARITHMETIC = re.compile(r"\b(?:for|foreach|while|until|repeat)\b|(?<=\s)(?:[-+*/%]|<<|>>)=?(?=\s)|\+\+", re.IGNORECASE)


def heuristic_scores(language: str, content: str) -> dict[str, float]:
    """{name: score} of one file, for the names of HEURISTICS."""
    lines = _LINE_END.split(content)
    tree = _parse(content) if language in PYTHON else None
    n_lines = max(1, sum(1 for line in lines if line.strip()))
    operations = _count_in_lines(language, lines) if tree is None else _count_in_tree(tree)
    documentation = (comment_fraction(language, lines) or 0.0) if tree is None else _documented_share(tree, language, lines)
    return {"shortest": -float(len(content.encode())), "loops": operations / n_lines, "docstrings": documentation}


def _parse(content: str) -> ast.Module | None:
    """None for what this interpreter's grammar, or its stack, does not take."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a text's invalid escapes are no concern of ours
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _count_in_tree(tree: ast.Module) -> int:
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            count += isinstance(node.op, _ARITHMETIC) and not (_is_string(node.left) or _is_string(node.right))
        elif isinstance(node, ast.AugAssign):
            count += isinstance(node.op, _ARITHMETIC) and not _is_string(node.value)
        else:
            count += isinstance(node, _LOOPS)
    return count


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _count_in_lines(language: str, lines: list[str]) -> int:
    comments = COMMENT_STARTS.get(language, ())
    return sum(len(_LOOP_OR_ARITHMETIC.findall(line)) for line in lines if not line.lstrip().startswith(comments))


def _documented_share(tree: ast.Module, language: str, lines: list[str]) -> float:
    """Of Python: lines of docstrings and of comments."""
    explains = [line.lstrip().startswith(COMMENT_STARTS[language]) for line in lines]
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and node.body and _is_docstring(node.body[0]):
            first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            explains[first - 1 : last] = [True] * (last - first + 1)
    sizes = [len(line.strip()) for line in lines]
    total = sum(sizes)
    return sum(size for size, counts in zip(sizes, explains, strict=True) if counts) / total if total else 0.0


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)

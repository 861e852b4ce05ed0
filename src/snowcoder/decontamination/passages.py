"""What of a problem would betray it in a file: its docstring, its solution, its prompt.

Texts of benchmarks are parsed with ast and never run.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.normalise import forms, words

EXAMPLES = re.compile(r">>>|^\s*assert\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of words of a problem. method: 'solution' or 'docstring' (matched whole), 'ngram' (matched by its share of n-grams)."""

    problem: int
    method: str
    words: tuple[str, ...]


def problem_passages(number: int, problem: Problem, min_words: int) -> list[Passage]:
    """The passages of at least `min_words` words, without doubles; `number` stands for the problem in the result."""
    found: dict[Passage, None] = {}
    for form in forms(problem.canonical_solution):
        found |= dict.fromkeys(_solution_passages(number, problem, words(form), min_words))
    found |= dict.fromkeys(_docstring_passages(number, problem, min_words))
    texts = [problem.prompt, problem.canonical_solution]
    shares = [part for part in (tuple(words(text)) for text in texts) if len(part) >= min_words]
    shares = shares or [tuple(words("\n".join(texts)))]
    found |= {Passage(number, "ngram", part): None for part in shares if len(part) >= min_words}
    return list(found)


def _solution_passages(number: int, problem: Problem, solution: list[str], min_words: int) -> Iterator[Passage]:
    """The solution; if it is too short to be matched alone, the function's head with it."""
    if len(solution) < min_words:
        solution = words(_split_prompt(problem)[0]) + solution
    if len(solution) >= min_words:
        yield Passage(number, "solution", tuple(solution))


def _docstring_passages(number: int, problem: Problem, min_words: int) -> Iterator[Passage]:
    """The docstring's description; if that is too short, the docstring with its examples."""
    docstring = _split_prompt(problem)[1]
    for text in (EXAMPLES.split(docstring)[0], docstring):
        if len(words(text)) >= min_words:
            yield Passage(number, "docstring", tuple(words(text)))
            return


def _split_prompt(problem: Problem) -> tuple[str, str]:
    """(head of the entry point's definition, docstring) of a prompt; ('', prompt) where it is no Python with a docstring."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in the benchmark's own text
            tree = ast.parse(problem.prompt)
    except SyntaxError:
        return "", problem.prompt
    lines = problem.prompt.splitlines()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == problem.entry_point and ast.get_docstring(node):
            return "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1]), ast.get_docstring(node) or ""
    return "", ast.get_docstring(tree) or problem.prompt

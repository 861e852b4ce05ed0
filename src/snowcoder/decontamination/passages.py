"""Extracts the parts of a problem that a file may contain: its docstring, its solution, its prompt, its tests.

Texts of benchmarks are parsed with ast and never run.
"""

import ast
import json
import re
import warnings
from collections.abc import Iterator

import numpy as np

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.lexing import lex
from snowcoder.decontamination.matching import Passage, make_passage
from snowcoder.decontamination.normalise import read_words, word_forms
from snowcoder.decontamination.python_tree import PythonTree, read_python
from snowcoder.decontamination.token_stream import TokenStream
from snowcoder.deduplication.shingles import ngram_hashes

EXAMPLES = re.compile(r">>>|^\s*assert\b", re.MULTILINE)
ASSERTION = re.compile(r"^\s*assert\b.*$", re.MULTILINE)
CANDIDATE = re.compile(r"\bcandidate\b")
# EvalPlus' tests hold thousands of inputs; a copy of the tests shows in the first ones
MAX_TEST_WORDS = 400
MAX_TEST_CHARACTERS = 16_000
WHOLE_METHODS = ("solution", "docstring", "test_call")


def word_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The passages of words, each of at least `min_match_tokens`, without duplicates; `number` stands for the problem in the result."""
    least, size = params.min_match_tokens, _code_tokens(problem)
    forms = [form.hashes for form in word_forms(problem.canonical_solution)]
    found: list[tuple[str, np.ndarray, int | None]] = []
    found += [("solution", words, size) for form in forms for words in _solution_words(problem, form, least)]
    found += [("docstring", words, None) for words in _docstring_words(problem, least)]
    found += [("ngram", words, size if is_code else None) for words, is_code in _shared_words(problem, least)]
    found += [("test", words, None) for words in _test_words(problem, least)]
    found += [("test_call", words, None) for words in _call_words(problem, least)]
    distinct = {(method, words.tobytes()): (method, words, size) for method, words, size in found}
    return [
        make_passage(number, method, words, ngram_hashes(words, params.ngram_tokens), method in WHOLE_METHODS, size)
        for method, words, size in distinct.values()
    ]


def tree_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The body of every function of the solution as tokens of its syntax tree, whole and by shares; none if it is not Python."""
    tree = _solution_tree(problem)
    if tree is None:
        return []
    bodies = [(start, count) for _, start, count in tree.bodies] or [(0, len(tree.stream))]
    return [passage for start, count in bodies for passage in _renamed(number, "syntax_tree", tree.stream, start, count, params)]


def lexed_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The solution as tokens of its text, whole and by shares."""
    stream = lex(problem.canonical_solution).stream
    return list(_renamed(number, "renamed", stream, 0, len(stream), params, _code_tokens(problem)))


def named_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The body of the entry point as tokens of its syntax tree, where it is too short to be matched under every name."""
    tree = _solution_tree(problem)
    sizes = range(params.min_named_tokens, params.min_renamed_tokens)
    bodies = [] if tree is None else [body for body in tree.bodies if body[0] == problem.entry_point and body[2] in sizes]
    return [
        make_passage(number, "named_function", tree.stream.window(start, count), np.empty(0, dtype=np.uint64), True, count)
        for _, start, count in bodies
        if tree is not None
    ]


def _renamed(
    number: int, method: str, stream: TokenStream, start: int, count: int, params: DecontaminationParams, code_tokens: int | None = None
) -> Iterator[Passage]:
    """A run of a stream: whole, and by shares if it is long enough for that. code_tokens: of a syntax tree, if `count` is of others."""
    if count < params.min_renamed_tokens:
        return
    # the first window of a run is the same wherever the run is, so that whole copies are looked up by it
    n = params.renamed_ngram_tokens
    tokens, grams, size = stream.window(start, count), stream.ngrams(n)[start : start + count - n + 1], code_tokens or count
    yield make_passage(number, method, tokens, grams, True, size)
    if count >= params.min_renamed_share_tokens:
        yield make_passage(number, f"{method}_ngram", tokens, grams, False, size)


def _solution_tree(problem: Problem) -> PythonTree | None:
    return read_python(problem.prompt + problem.canonical_solution) or read_python(problem.canonical_solution)


def _code_tokens(problem: Problem) -> int:
    """The length of the solution's functions in tokens of the syntax tree; of the text where it is no Python."""
    tree = _solution_tree(problem)
    if tree is None:
        return len(lex(problem.canonical_solution).stream)
    # a function within another is part of it
    outermost = [body for body in tree.bodies if not any(_within(body, other) for other in tree.bodies)]
    return sum(count for _, _, count in outermost) or len(tree.stream)


def _within(body: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return other[1] <= body[1] and body[1] + body[2] <= other[1] + other[2] and body is not other


def _solution_words(problem: Problem, solution: np.ndarray, least: int) -> Iterator[np.ndarray]:
    """The solution; if it is too short to be matched alone, the function's head with it."""
    if solution.size < least:
        solution = np.concatenate([read_words(_split_prompt(problem)[0]).hashes, solution])
    if solution.size >= least:
        yield solution


def _docstring_words(problem: Problem, least: int) -> Iterator[np.ndarray]:
    """The docstring's description; if that is too short, the docstring with its examples."""
    docstring = _split_prompt(problem)[1]
    for text in (EXAMPLES.split(docstring)[0], docstring):
        words = read_words(text).hashes
        if words.size >= least:
            yield words
            return


def _shared_words(problem: Problem, least: int) -> Iterator[tuple[np.ndarray, bool]]:
    """(words, whether they are code alone) of prompt and solution; of both together, if each is too short."""
    texts = [(problem.prompt, False), (problem.canonical_solution, True)]
    parts = [(words, is_code) for text, is_code in texts if (words := read_words(text).hashes).size >= least]
    if not parts:
        parts = [(read_words(f"{problem.prompt}\n{problem.canonical_solution}").hashes, False)]
    yield from (part for part in parts if part[0].size >= least)


def _test_words(problem: Problem, least: int) -> Iterator[np.ndarray]:
    """The tests as they are published, with the function's own name for `candidate`, and its assertions alone; none of too few words."""
    test = problem.test[:MAX_TEST_CHARACTERS]
    named = CANDIDATE.sub(problem.entry_point, test)
    for text in dict.fromkeys((test, named, CANDIDATE.sub(problem.entry_point, _assertions(problem.test)))):
        words = read_words(text).hashes[:MAX_TEST_WORDS]
        if words.size >= least:
            yield words


def _assertions(test: str) -> str:
    """The first assertions of a test program, without the text between them; '' if it has none or is not Python."""
    try:
        tree = _parse(test)
    except SyntaxError:
        return ""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    lines = test.splitlines()
    return "\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in found)[:MAX_TEST_CHARACTERS]


def _call_words(problem: Problem, least: int) -> Iterator[np.ndarray]:
    """The assertions of the prompt, and the calls of the tests where a problem's tests come as inputs and not as a program."""
    texts = ASSERTION.findall(problem.prompt)
    if problem.inputs:
        for call in json.loads(problem.inputs)["base"]:
            arguments = call if isinstance(call, str) else json.dumps(call, ensure_ascii=False)
            texts.append(f"{problem.entry_point} {arguments[:MAX_TEST_CHARACTERS]}")
    for text in texts:
        words = read_words(text).hashes[:MAX_TEST_WORDS]
        if words.size >= least:
            yield words


def _split_prompt(problem: Problem) -> tuple[str, str]:
    """(head of the entry point's definition, docstring) of a prompt; ('', prompt) where it is no Python with a docstring."""
    try:
        tree = _parse(problem.prompt)
    except SyntaxError:
        return "", problem.prompt
    lines = problem.prompt.splitlines()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == problem.entry_point and ast.get_docstring(node):
            return "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1]), ast.get_docstring(node) or ""
    return "", ast.get_docstring(tree) or problem.prompt


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes in the benchmark's own text
        return ast.parse(text)

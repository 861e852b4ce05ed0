"""What of a problem would betray it in a file: its docstring, its solution, its prompt, its tests.

Texts of benchmarks are parsed with ast and never run.
"""

import ast
import re
import warnings
from collections.abc import Iterator

import numpy as np

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.lexing import lex
from snowcoder.decontamination.matching import Passage, make_passage
from snowcoder.decontamination.normalise import read_words, word_forms
from snowcoder.decontamination.python_tree import read_python
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.decontamination.token_stream import TokenStream
from snowcoder.deduplication.shingles import ngram_hashes

EXAMPLES = re.compile(r">>>|^\s*assert\b", re.MULTILINE)
CANDIDATE = re.compile(r"\bcandidate\b")
# EvalPlus' tests hold thousands of inputs; a copy of the tests shows in the first ones
MAX_TEST_WORDS = 400
MAX_TEST_CHARACTERS = 16_000
WHOLE_METHODS = ("solution", "docstring")


def word_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The passages of words, each of at least `min_match_tokens`, without doubles; `number` stands for the problem in the result."""
    least = params.min_match_tokens
    forms = [form.hashes for form in word_forms(problem.canonical_solution)]
    found = [("solution", words) for form in forms for words in _solution_words(problem, form, least)]
    found += [("docstring", words) for words in _docstring_words(problem, least)]
    found += [("ngram", words) for words in _shared_words(problem, least)]
    found += [("test", words) for words in _test_words(problem, least)]
    distinct = {(method, words.tobytes()): (method, words) for method, words in found}
    return [
        make_passage(number, method, words, ngram_hashes(words, params.ngram_tokens), method in WHOLE_METHODS)
        for method, words in distinct.values()
    ]


def tree_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The body of every function of the solution as tokens of its syntax tree, whole and by shares; none if it is no Python."""
    tree = read_python(problem.prompt + problem.canonical_solution) or read_python(problem.canonical_solution)
    if tree is None:
        return []
    bodies = [(start, count) for _, start, count in tree.bodies] or [(0, len(tree.stream))]
    return [passage for start, count in bodies for passage in _renamed(number, "syntax_tree", tree.stream, start, count, params)]


def lexed_passages(number: int, problem: Problem, params: DecontaminationParams) -> list[Passage]:
    """The solution as tokens of its text, whole and by shares."""
    stream = lex(problem.canonical_solution).stream
    return list(_renamed(number, "renamed", stream, 0, len(stream), params))


def _renamed(number: int, method: str, stream: TokenStream, start: int, count: int, params: DecontaminationParams) -> Iterator[Passage]:
    """A run of a stream: whole, and by shares if it is long enough for that."""
    if count < params.min_renamed_tokens:
        return
    # the first window of a run reads the same wherever the run stands, so that whole copies are looked up by it
    n = params.renamed_ngram_tokens
    tokens, grams = stream.window(start, count), stream.ngrams(n)[start : start + count - n + 1]
    yield make_passage(number, method, tokens, grams, True)
    if count >= params.min_renamed_share_tokens:
        yield make_passage(number, f"{method}_ngram", tokens, grams, False)


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


def _shared_words(problem: Problem, least: int) -> Iterator[np.ndarray]:
    """Prompt and solution; together, if both are too short."""
    texts = [problem.prompt, problem.canonical_solution]
    parts = [words for text in texts if (words := read_words(text).hashes).size >= least]
    yield from parts or [words for words in [read_words("\n".join(texts)).hashes] if words.size >= least]


def _test_words(problem: Problem, least: int) -> Iterator[np.ndarray]:
    """The tests as they are published, and with the function's own name for `candidate`; none where they are too short."""
    test = problem.test[:MAX_TEST_CHARACTERS]
    for text in dict.fromkeys((test, CANDIDATE.sub(problem.entry_point, test))):
        words = read_words(text).hashes[:MAX_TEST_WORDS]
        if words.size >= least:
            yield words


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

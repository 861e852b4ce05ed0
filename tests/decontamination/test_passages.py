"""snowcoder.decontamination.passages: which parts of a problem are searched for."""

import json

import numpy as np

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.normalise import read_words
from snowcoder.decontamination.passages import lexed_passages, named_passages, tree_passages, word_passages
from tests.decontamination.problems import PARAMS

PROMPT = (
    "from typing import List\n\n\ndef pair_up(values: List[int]) -> List[int]:\n"
    '    """ Pair every value of the list with the one that follows it.\n    >>> pair_up([1, 2])\n    [(1, 2)]\n    """\n'
)
SOLUTION = "    # neighbours\n    return list(zip(values, values[1:]))\n"


def problem(prompt: str, solution: str, test: str = "") -> Problem:
    return Problem("b", "b/0", prompt, solution, test, "pair_up")


def methods(prompt: str, solution: str, least: int, test: str = "") -> list[str]:
    params = PARAMS.model_copy(update={"min_match_tokens": least, "ngram_tokens": 3})
    return [passage.method for passage in word_passages(0, problem(prompt, solution, test), params)]


def whole(prompt: str, solution: str, least: int) -> list[bytes]:
    params = PARAMS.model_copy(update={"min_match_tokens": least, "ngram_tokens": 3})
    found = word_passages(0, problem(prompt, solution), params)
    return [passage.tokens.tobytes() for passage in found if passage.tokens is not None]


def words(text: str) -> bytes:
    return read_words(text).hashes.tobytes()


def test_solution_docstring_prompt_and_tests_each_give_a_passage() -> None:
    found = whole(PROMPT, SOLUTION, 6)
    assert words("neighbours return list zip values values 1") in found
    assert words("return list zip values values 1") in found  # its comment may be gone from a copy
    assert words("pair every value of the list with the one that follows it") in found
    test = "def check(candidate):\n    assert candidate([1, 2]) == [(1, 2)]\n"
    # the tests three times: as they are published, with the function's own name, and the assertions alone
    assert methods(PROMPT, SOLUTION, 6, test) == ["solution", "solution", "docstring", "ngram", "ngram", "test", "test", "test"]


def test_a_short_solution_is_matched_with_the_head_of_its_function() -> None:
    assert words("def pair_up values list int list int return values") in whole(PROMPT, "    return values\n", 8)


def test_a_short_description_is_matched_with_its_examples() -> None:
    prompt = 'def pair_up(x):\n    """Pair up.\n    >>> pair_up([1, 2])\n    [(1, 2)]\n    """\n'
    assert words("pair up pair_up 1 2 1 2") in whole(prompt, SOLUTION, 7)


def test_nothing_trivial_is_matched() -> None:
    trivial = problem('def pair_up(x):\n    """Pair."""\n', "    return x\n")
    assert word_passages(0, trivial, PARAMS.model_copy(update={"min_match_tokens": 30})) == []
    assert tree_passages(0, trivial, PARAMS) == lexed_passages(0, trivial, PARAMS) == []


def test_a_prompt_that_is_a_docstring_or_no_python_is_its_own_docstring() -> None:
    text = "Write a function to pair every value of a list with the next."
    assert words(text) in whole(f'"""\n{text}\nassert pair_up([1]) == []\n"""\n', SOLUTION, 8)
    assert words(text) in whole(text, SOLUTION, 8)


def test_the_syntax_tree_gives_a_passage_for_each_function_and_shares_for_long_ones() -> None:
    solution = SOLUTION + "\n\ndef helper(a, b):\n" + "    a = a + b * 2\n    b = a - 1\n" * 2 + "    return a\n"
    found = tree_passages(0, problem(PROMPT, solution), PARAMS.model_copy(update={"renamed_ngram_tokens": 5, "min_renamed_tokens": 5}))
    assert [passage.method for passage in found] == ["syntax_tree", "syntax_tree", "syntax_tree_ngram"]
    assert all(np.unique(passage.grams).size == passage.grams.size for passage in found)


def test_assertions_of_the_prompt_and_calls_of_the_tests_give_a_passage_each() -> None:
    prompt = '"""\nPair up.\nassert pair_up([1, 2, 3, 4]) == [(1, 2), (2, 3), (3, 4)]\n"""\n'
    inputs = {"family": "mbpp", "atol": 0, "base": [[[7, 8, 9]], [[5]]], "plus": [[[1, 2, 3, 4, 5, 6]]]}
    of_calls = Problem("b", "b/0", prompt, SOLUTION, "", "pair_up", "evalplus", json.dumps(inputs))
    params = PARAMS.model_copy(update={"min_match_tokens": 4, "ngram_tokens": 3})
    found = [passage.tokens.tobytes() for passage in word_passages(0, of_calls, params) if passage.method == "test_call"]
    assert found == [words("assert pair_up 1 2 3 4 1 2 2 3 3 4"), words("pair_up 7 8 9")]
    as_texts = Problem("b", "b/0", "", SOLUTION, "", "pair_up", "evoeval", json.dumps({"part": "subtle", "base": ["[7, 8, 9]"]}))
    assert [passage.tokens.tobytes() for passage in word_passages(0, as_texts, params) if passage.method == "test_call"] == found[1:]


def test_code_alone_has_its_length_in_tokens_of_the_tree_and_statements_and_tests_have_none() -> None:
    test = "def check(candidate):\n    assert candidate([1, 2]) == [(1, 2)]\n"
    params = PARAMS.model_copy(update={"min_match_tokens": 6, "ngram_tokens": 3, "min_renamed_tokens": 15})
    found = word_passages(0, problem(PROMPT, SOLUTION, test), params)
    # Return Call list Call zip values Subscript values Slice 1
    assert {(passage.method, passage.code_tokens) for passage in found} == {
        ("solution", 10),
        ("docstring", None),
        ("ngram", None),  # the prompt
        ("ngram", 10),  # the solution
        ("test", None),
    }


def test_a_short_body_is_known_by_the_name_of_its_function_and_a_shorter_one_not_at_all() -> None:
    assert [passage.code_tokens for passage in named_passages(0, problem(PROMPT, SOLUTION), PARAMS)] == [10]
    assert named_passages(0, problem(PROMPT, "    return values\n"), PARAMS) == []  # 2 tokens
    assert named_passages(0, problem(PROMPT, SOLUTION), PARAMS.model_copy(update={"min_renamed_tokens": 10})) == []


def test_a_solution_that_is_no_python_has_no_tree() -> None:
    assert tree_passages(0, problem("Pair up:", "for each value do"), PARAMS) == []

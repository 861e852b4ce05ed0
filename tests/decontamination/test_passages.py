from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.passages import problem_passages

PROMPT = (
    "from typing import List\n\n\ndef pair_up(values: List[int]) -> List[int]:\n"
    '    """ Pair every value of the list with the one that follows it.\n    >>> pair_up([1, 2])\n    [(1, 2)]\n    """\n'
)
SOLUTION = "    # neighbours\n    return list(zip(values, values[1:]))\n"


def passages(prompt: str, solution: str, min_words: int) -> list[tuple[str, str]]:
    problem = Problem("b", "b/0", prompt, solution, "", "pair_up")
    return [(passage.method, " ".join(passage.words)) for passage in problem_passages(0, problem, min_words)]


def test_solution_docstring_and_prompt_each_give_a_passage():
    found = passages(PROMPT, SOLUTION, 6)
    assert ("solution", "neighbours return list zip values values 1") in found
    assert ("solution", "return list zip values values 1") in found  # its comment may be gone from a copy
    assert ("docstring", "pair every value of the list with the one that follows it") in found
    assert [method for method, _ in found].count("ngram") == 2


def test_a_short_solution_is_matched_with_the_head_of_its_function():
    assert ("solution", "def pair_up values list int list int return values") in passages(PROMPT, "    return values\n", 8)


def test_a_short_description_is_matched_with_its_examples():
    prompt = 'def pair_up(x):\n    """Pair up.\n    >>> pair_up([1, 2])\n    [(1, 2)]\n    """\n'
    assert ("docstring", "pair up pair_up 1 2 1 2") in passages(prompt, SOLUTION, 7)


def test_nothing_trivial_is_matched():
    assert passages('def pair_up(x):\n    """Pair."""\n', "    return x\n", 30) == []


def test_a_prompt_that_is_a_docstring_or_no_python_is_its_own_docstring():
    text = "Write a function to pair every value of a list with the next."
    expected = ("docstring", "write a function to pair every value of a list with the next")
    assert expected in passages(f'"""\n{text}\nassert pair_up([1]) == []\n"""\n', SOLUTION, 8)
    assert expected in passages(text, SOLUTION, 8)

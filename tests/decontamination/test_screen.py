import pickle
import re
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.benchmarks.human_eval import load_human_eval
from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.screen import BenchmarkScreen, Overlap
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.errors import ParameterError
from snowcoder.params import validate

PINNED = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"
PARAMS = DecontaminationParams(ngram_tokens=10, min_ngram_overlap=0.5, min_match_tokens=10)
BLANKS = st.text(" \t", min_size=1, max_size=6)
CODE = st.lists(st.sampled_from(["x", "return", "def f():", "#", '"', "\n", "    ", "1", "import os", "'''"]), max_size=30).map(" ".join)


@cache
def problems() -> tuple[Problem, ...]:
    return tuple(load_human_eval(PINNED))


@cache
def screen() -> BenchmarkScreen:
    return BenchmarkScreen(problems(), PARAMS)


def plant(text: str) -> str:
    return f"import os\n\n\ndef before():\n    return os.getcwd()\n\n\n{text}\n\n\ndef after():\n    return 2\n"


def test_every_problem_is_found_in_full_and_by_its_prompt():
    for problem in problems():
        for text in (problem.prompt, problem.prompt + problem.canonical_solution):
            overlap = screen().match(plant(text))
            assert overlap is not None, problem.problem_id
            assert overlap.benchmark == "humaneval"
    assert screen().blind == []


def test_solutions_alone_are_found_unless_they_are_trivial():
    missed = [problem for problem in problems() if screen().match(plant(problem.canonical_solution)) is None]
    assert len(missed) == 19  # of 164: shorter than min_match_tokens
    assert all(len(re.findall(r"\w+", problem.canonical_solution)) < 10 for problem in missed)


def test_a_copy_names_its_problem_method_and_text():
    problem = problems()[1]
    overlap = screen().match(plant(problem.canonical_solution))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method, overlap.overlap) == ("HumanEval/1", "solution", 1.0)
    assert overlap.matched_text.startswith("result = []\n    current_string = []")
    assert len(overlap.matched_text) == 200


def test_a_docstring_turned_into_a_comment_is_found():
    commented = "\n".join(f"# {line}" for line in problems()[0].prompt.splitlines())
    overlap = screen().match(plant(commented))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/0", "docstring")


def test_added_comments_do_not_hide_a_solution():
    lines = problems()[1].canonical_solution.splitlines()
    overlap = screen().match(plant("\n".join(f"{line}  # step {number} of the answer" for number, line in enumerate(lines))))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "solution")


def test_an_edited_solution_is_found_by_its_ngrams():
    lines = problems()[1].canonical_solution.splitlines()
    lines.insert(10, "    log_everything(current_string)")
    overlap = screen().match(plant("\n".join(lines)))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "ngram")
    assert 0.5 <= overlap.overlap < 1.0
    assert overlap.matched_text


def test_the_share_of_ngrams_decides():
    solution = " ".join(f"w{number}" for number in range(29))  # 20 n-grams of 10 words
    one = [Problem("b", "b/0", "", solution, "", "f")]
    half, less = " ".join(solution.split()[:19]), " ".join(solution.split()[:18])  # 10 and 9 of them
    text_screen = BenchmarkScreen(one, PARAMS)
    assert text_screen.match(f"x {half} y") == Overlap("b", "b/0", "ngram", half, 0.5)
    assert text_screen.match(f"x {less} y") is None


def test_a_whole_solution_goes_before_a_docstring_of_another_problem():
    text = problems()[3].prompt.split('"""')[1] + "\n" + problems()[8].canonical_solution
    overlap = screen().match(text)
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/8", "solution")


@pytest.mark.parametrize("content", ["", "\n", "x", "def add(x, y):\n    return x + y\n", "while b:\n    a, b = b, a % b\nreturn a\n"])
def test_empty_and_trivial_files_overlap_nothing(content):
    assert screen().match(content) is None


def test_ordinary_files_overlap_nothing():
    folder = Path(hypothesis.__file__).parent / "strategies"
    contents = [path.read_text() for path in sorted(folder.rglob("*.py"))]
    assert len(contents) > 5
    assert [screen().match(content) for content in contents] == [None] * len(contents)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 163), st.data(), CODE, CODE)
def test_a_problem_in_any_code_is_found_whatever_its_white_space(number: int, data: st.DataObject, before: str, after: str):
    problem = problems()[number]
    lines = (problem.prompt + problem.canonical_solution).splitlines()
    indent, gap, newline = data.draw(BLANKS), data.draw(BLANKS), data.draw(st.sampled_from(["\n", "\r\n", "\n\n", " \n\t\n"]))
    planted = newline.join(indent + re.sub(r"[ \t]+", lambda _: gap, line) for line in lines)
    assert screen().match(f"{before}\n{planted}\n{after}") is not None


@settings(max_examples=60, deadline=None)
@given(CODE)
def test_random_code_overlaps_nothing(content: str):
    assert screen().match(content) is None


def test_a_screen_without_problems_matches_nothing_and_one_can_be_sent_to_a_worker():
    assert BenchmarkScreen([], PARAMS).match(problems()[0].prompt) is None
    copy = pickle.loads(pickle.dumps(screen()))
    assert copy.match(problems()[0].prompt) == screen().match(problems()[0].prompt)


def test_a_passage_shorter_than_an_ngram_is_refused():
    raw = {"ngram_tokens": 10, "min_ngram_overlap": 0.5, "min_match_tokens": 5}
    with pytest.raises(ParameterError, match="min_match_tokens is 5; allowed: at least ngram_tokens, 10"):
        validate(raw, DecontaminationParams, "decontaminate_files")

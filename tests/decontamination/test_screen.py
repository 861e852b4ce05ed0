"""snowcoder.decontamination.screen on real problems: finds them in any disguise, and not in ordinary code."""

import json
import pickle
import re
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.disguises import renamed_solution
from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen, Overlap
from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import validate
from tests.decontamination.problems import PARAMS, human_eval, ids, plant, plus_problems, problem_of, screen, strongest

BLANKS = st.text(" \t", min_size=1, max_size=6)
CODE = st.lists(st.sampled_from(["x", "return", "def f():", "#", '"', "\n", "    ", "1", "import os", "'''"]), max_size=30).map(" ".join)
# Functions of the standard library's kind, as unlike HumanEval's as they come
ORDINARY = """def connect(host, port, timeout=30):
    connection = open_socket(host, port)
    try:
        connection.settimeout(timeout)
        send_greeting(connection, version=PROTOCOL)
    except OSError as error:
        connection.close()
        raise ConnectionFailed(f"{host}:{port}") from error
    return connection
"""
PREFIXES = st.from_regex(r"[a-z]{1,3}_", fullmatch=True)


def renamed_problems() -> list[Problem]:
    """Those whose solution is long enough to be known by its shape."""
    short = {problem.problem_id for problem in screen().blind_to_renaming}
    return [problem for problem in human_eval() if problem.problem_id not in short]


def test_every_problem_is_found_in_full_and_by_its_prompt() -> None:
    for problem in human_eval():
        for text in (problem.prompt, problem.prompt + problem.canonical_solution):
            assert problem.problem_id in ids(plant(text))
    assert screen().blind == []


def test_solutions_alone_are_found_unless_they_are_trivial() -> None:
    missed = [problem for problem in human_eval() if problem.problem_id not in ids(plant(problem.canonical_solution))]
    assert len(missed) == 17  # of 164: shorter than min_match_tokens
    assert all(len(re.findall(r"\w+", problem.canonical_solution)) < 10 for problem in missed)


def test_every_solution_that_is_not_trivial_is_found_in_disguise() -> None:
    found = renamed_problems()
    assert len(found) == 143  # of 164; the bodies of the others have fewer than min_renamed_tokens
    for problem in found:
        assert problem.problem_id in ids(plant(renamed_solution(problem, "zz_"))), problem.problem_id


@settings(max_examples=60, deadline=None)
@given(st.data(), PREFIXES, st.booleans())
def test_renaming_reformatting_comments_and_a_larger_file_hide_nothing(data: st.DataObject, prefix: str, commented: bool) -> None:
    problem = data.draw(st.sampled_from(renamed_problems()))
    lines = renamed_solution(problem, prefix).splitlines()
    if commented:
        notes = data.draw(st.lists(st.sampled_from(["step", "total = 0", "see the paper", ""]), min_size=len(lines), max_size=len(lines)))
        single_quoted = all("'''" not in line and '"""' not in line and "\\" not in line for line in lines)
        lines = [f"{line}  # {note}" if single_quoted else line for line, note in zip(lines, notes, strict=True)]
    indent = data.draw(st.sampled_from(["", "    "]))
    body = "\n".join(indent + line for line in lines)
    planted = f"class Answers:\n{body}\n" if indent else body
    assert problem.problem_id in ids(plant(planted))


def test_a_solution_is_found_among_the_statements_of_a_longer_function() -> None:
    body = renamed_solution(human_eval()[1], "v").split("\n", 1)[1]
    assert "HumanEval/1" in ids(f"def longer(v1):\n    log = open('log')\n    log.write('start')\n{body}\n    log.close()\n")


def test_a_renamed_solution_is_found_where_the_file_is_no_python() -> None:
    planted = "print 'of Python 2'\n" + plant(renamed_solution(human_eval()[1], "v"))
    overlap = strongest(planted)
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "renamed")


def test_a_copy_names_its_problem_method_and_span() -> None:
    problem = human_eval()[1]
    content = plant(problem.canonical_solution)
    overlap = strongest(content)
    assert overlap is not None
    assert (overlap.problem_id, overlap.method, overlap.overlap) == ("HumanEval/1", "solution", 1.0)
    span = content[overlap.start_char : overlap.end_char]
    assert span.startswith("result = []\n    current_string = []")
    assert span.endswith("return result")
    assert overlap.matched_text == span[:200]


def test_the_span_of_a_renamed_solution_is_where_it_stands() -> None:
    planted = renamed_solution(human_eval()[1], "v")
    content = plant(f"# vor ihr: é\n{planted}")
    overlap = strongest(content)
    assert overlap is not None
    assert overlap.method == "syntax_tree"
    span = content[overlap.start_char : overlap.end_char]
    assert planted.endswith(span)
    assert span.startswith("v")


def test_a_docstring_turned_into_a_comment_is_found() -> None:
    overlap = strongest(plant("\n".join(f"# {line}" for line in human_eval()[0].prompt.splitlines())))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/0", "docstring")


def test_a_problem_in_a_json_file_or_a_string_is_found() -> None:
    problem = human_eval()[1]
    for field in (problem.prompt, problem.canonical_solution, problem.test):
        assert "HumanEval/1" in ids(json.dumps({"text": field}))


def test_tests_are_found_with_the_function_s_own_name_too() -> None:
    problem = human_eval()[0]
    for test in (problem.test, problem.test.replace("candidate", problem.entry_point)):
        overlap = strongest(plant(test))
        assert overlap is not None
        assert (overlap.problem_id, overlap.method) == ("HumanEval/0", "test")


def test_added_comments_do_not_hide_a_solution() -> None:
    lines = human_eval()[1].canonical_solution.splitlines()
    overlap = strongest(plant("\n".join(f"{line}  # step {number} of the answer" for number, line in enumerate(lines))))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "solution")


def test_an_edited_solution_is_found_by_its_ngrams() -> None:
    lines = human_eval()[1].canonical_solution.splitlines()
    lines.insert(10, "    log_everything(current_string)")
    overlap = strongest("\n".join(lines))
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "ngram")
    assert 0.5 <= overlap.overlap < 1.0


def test_an_edited_and_renamed_solution_is_found_by_its_ngrams() -> None:
    lines = renamed_solution(human_eval()[1], "v").splitlines()
    edited = "\n".join([*lines[:5], "    log_everything()", *lines[5:]])
    for content, method in ((edited, "syntax_tree_ngram"), (f"print 'two'\n{edited}", "renamed_ngram")):
        overlap = strongest(content)
        assert overlap is not None
        assert (overlap.problem_id, overlap.method) == ("HumanEval/1", method)


def test_the_share_of_ngrams_decides() -> None:
    solution = " ".join(f"w{number}" for number in range(29))  # 20 n-grams of 10 words
    half, less = " ".join(solution.split()[:19]), " ".join(solution.split()[:18])  # 10 and 9 of them
    text_screen = BenchmarkScreen([problem_of(solution)], PARAMS.model_copy(update={"min_specific_tokens": 1}))
    assert text_screen.overlaps(f"x {half} y") == [Overlap("b", "b/0", "benchmark_overlap", "ngram", 0.5, 2, 2 + len(half), half)]
    assert text_screen.overlaps(f"x {less} y") == []


def test_what_the_problems_of_a_benchmark_share_is_no_evidence() -> None:
    shared = " ".join(f"s{number}" for number in range(40))
    own = [" ".join(f"w{number}x{word}" for word in range(12)) for number in range(4)]
    problems = [problem_of(f"{shared} {text}", number) for number, text in enumerate(own)]
    assert BenchmarkScreen(problems, PARAMS).overlaps(shared) == []
    assert len(BenchmarkScreen(problems[:3], PARAMS).overlaps(shared)) == 3
    # versions of one problem in two benchmarks are no boilerplate
    twins = [problem_of(shared, 0, benchmark) for benchmark in "abcde"]
    assert len(BenchmarkScreen(twins, PARAMS).overlaps(f"{shared[:-4]} z")) == 5


def test_every_problem_of_a_file_is_named_the_strongest_first_and_generic_ones_last() -> None:
    solutions = [human_eval()[number].canonical_solution for number in (8, 1)]
    text = "\n".join([human_eval()[3].prompt.split('"""')[1], *solutions])
    assert [(overlap.problem_id, overlap.reason, overlap.method) for overlap in screen().overlaps(text)] == [
        ("HumanEval/1", "benchmark_overlap", "solution"),
        ("HumanEval/3", "benchmark_overlap", "docstring"),
        ("HumanEval/8", "generic_match", "solution"),
    ]


def test_assertions_are_found_without_the_comments_between_them() -> None:
    lines = [line.strip() for line in human_eval()[99].test.splitlines() if line.strip().startswith("assert ")]
    found = strongest("def test_it():\n" + "".join(f"    {line.replace('candidate', 'closest_integer')}\n" for line in lines))
    assert found is not None
    assert (found.problem_id, found.reason, found.method) == ("HumanEval/99", "benchmark_overlap", "test")


def test_a_comment_does_not_hide_the_second_problem_of_a_file() -> None:
    commented = "\n".join(f"{line}  # step {number}" for number, line in enumerate(human_eval()[1].canonical_solution.splitlines()))
    found = BenchmarkScreen([human_eval()[1], human_eval()[3]], PARAMS).overlaps(f"{human_eval()[3].prompt}\n    pass\n{commented}\n")
    assert [(overlap.problem_id, overlap.method) for overlap in found] == [("HumanEval/1", "solution"), ("HumanEval/3", "docstring")]


@pytest.mark.parametrize(
    "content",
    [
        *("", "\n", "x", "\0", "\ufeff", "def add(x, y):\n    return x + y\n", "while b:\n    a, b = b, a % b\nreturn a\n", ORDINARY),
        *("(" * 5000, "x = " + "-" * 200_000 + "1", "é" * 1000, "'" * 1001, "#" * 1001, "\\n" * 1000, "a" * 1_000_000),
    ],
)
def test_empty_trivial_and_hostile_files_overlap_nothing(content: str) -> None:
    assert screen().overlaps(content) == []


def test_ordinary_files_overlap_nothing() -> None:
    folder = Path(hypothesis.__file__).parent
    contents = [path.read_text() for name in ("strategies", "internal") for path in sorted((folder / name).rglob("*.py"))]
    assert len(contents) > 20
    assert [screen().overlaps(content) for content in contents] == [[]] * len(contents)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 163), st.data(), CODE, CODE)
def test_a_problem_in_any_code_is_found_whatever_its_white_space(number: int, data: st.DataObject, before: str, after: str) -> None:
    problem = human_eval()[number]
    lines = (problem.prompt + problem.canonical_solution).splitlines()
    indent, gap, newline = data.draw(BLANKS), data.draw(BLANKS), data.draw(st.sampled_from(["\n", "\r\n", "\n\n", " \n\t\n"]))
    planted = newline.join(indent + re.sub(r"[ \t]+", lambda _: gap, line) for line in lines)
    assert problem.problem_id in ids(f"{before}\n{planted}\n{after}")


@settings(max_examples=60, deadline=None)
@given(CODE)
def test_random_code_overlaps_nothing(content: str) -> None:
    assert screen().overlaps(content) == []


def test_humaneval_plus_and_mbpp_plus_at_once() -> None:
    both = BenchmarkScreen([*human_eval(), *plus_problems()], PARAMS)
    short = {(problem.benchmark, problem.problem_id) for problem in both.blind_to_renaming}
    assert both.blind == []
    for problem in both.problems[::5]:
        identity = (problem.benchmark, problem.problem_id)
        for text in [problem.prompt] + [renamed_solution(problem, "v")] * (identity not in short):
            assert identity in {(found.benchmark, found.problem_id) for found in both.overlaps(plant(text))}, identity
    copied = both.overlaps(plant(human_eval()[1].prompt))
    assert {found.benchmark for found in copied} == {"humaneval", "humaneval_plus"}
    assert both.overlaps(ORDINARY) == []


def test_a_screen_without_problems_matches_nothing_and_one_can_be_sent_to_a_worker() -> None:
    prompt = human_eval()[0].prompt
    assert BenchmarkScreen([], PARAMS).overlaps(prompt) == []
    assert pickle.loads(pickle.dumps(screen())).overlaps(prompt) == screen().overlaps(prompt) != []


@pytest.mark.parametrize(("field", "ngram"), [("min_match_tokens", "ngram_tokens"), ("min_renamed_tokens", "renamed_ngram_tokens")])
def test_a_passage_shorter_than_an_ngram_is_refused(field: str, ngram: str) -> None:
    raw = PARAMS.model_dump() | {field: 5}
    with pytest.raises(ParameterError, match=f"{field}: found 5; allowed: from {ngram} {raw[ngram]}"):
        validate(raw, DecontaminationParams, "decontaminate_files")

from typing import Any

import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ParameterError
from snowcoder.evaluation.benchmark_prompts import Asking, base_prompt, chat_message, reference_of, solution_of, stop_strings
from snowcoder.inference.engine import cut_at_stop

EVALPLUS = Problem("humaneval_plus", "HumanEval/0", "\n\ndef f(x):\n    '''x'''\n\n", "    return x\n", "", "f", "evalplus", "{}")
SIGNATURE = "import os\ndef f(x):"
BIGCODE = Problem("bigcodebench", "BigCodeBench/0", SIGNATURE + "\n    '''x'''", "    return x\n", "", "f", "unittest", SIGNATURE, "Do it.")


@pytest.mark.parametrize(("strip", "end"), [(True, ""), (False, "\n")])
def test_a_prompt_ends_where_its_text_does_or_in_one_newline(strip: bool, end: str) -> None:
    assert base_prompt(EVALPLUS, strip) == Asking(strip_prompt=strip).prompt(EVALPLUS) == "def f(x):\n    '''x'''" + end


def test_a_chat_model_is_asked_in_evalplus_words() -> None:
    # evalplus 0.3.1, provider/utility.py and codegen.py: the instruction, the stripped prompt in a fence without a language
    assert chat_message(EVALPLUS, "complete") == (
        "Please provide a self-contained Python script that solves the following problem in a markdown code block:\n"
        "```\ndef f(x):\n    '''x'''\n```\n"
    )


def test_bigcodebench_is_asked_by_signature_or_in_words() -> None:
    assert chat_message(BIGCODE, "complete").endswith(f"code block:\n```\n{SIGNATURE}\n    '''x'''\n```\n")
    assert chat_message(BIGCODE, "instruct").endswith("code block:\nDo it.\n")
    with pytest.raises(ParameterError, match="split: found instruct, which humaneval_plus does not have"):
        chat_message(EVALPLUS, "instruct")


def test_a_chat_answer_ends_where_its_code_block_does() -> None:
    asking = Asking("chat")
    assert cut_at_stop("def f(x):\n    return x\n```\nThis function", asking.stop("humaneval_plus"))[0] == "def f(x):\n    return x"
    # helpers before and after the function are part of an answer, unlike of a completion
    helpers = "import re\n\ndef g():\n    return 1\n\ndef f(x):\n    return g()\n"
    assert cut_at_stop(helpers, asking.stop("humaneval_plus")) == (helpers, False)


@pytest.mark.parametrize(
    ("benchmark", "text", "left"),
    [
        ("humaneval_plus", "    return x\n\ndef g():\n", "    return x\n"),
        ("humaneval_plus", "    return x\nprint(f(1))", "    return x"),
        ("mbpp_plus", 'def f(x):\n    return x\n"""\nNext', "def f(x):\n    return x"),
        ("mbpp_plus", "def f(x):\n    return x\n\ndef g(x):\n", "def f(x):\n    return x\n\ndef g(x):\n"),  # helpers are let
        ("evoeval_difficult", "    return x\n# next", "    return x"),
        ("bigcodebench", "    return x\nassert f(1)", "    return x"),
    ],
)
def test_where_completions_end(benchmark: str, text: str, left: str) -> None:
    assert cut_at_stop(text, stop_strings(benchmark))[0] == left


def test_solutions_are_sanitised_and_tabs_are_four_blanks() -> None:
    assert solution_of(EVALPLUS, "def f(x):\n", "\treturn x\nprint(1)\n") == "def f(x):\n    return x"


def test_a_chat_answer_is_taken_out_of_its_fence() -> None:
    answer = "Sure!\n```python\ndef f(x):\n    return x\n```"
    assert solution_of(BIGCODE, "asked", answer, "chat") == "import os\ndef f(x):\n    pass\ndef f(x):\n    return x"


def test_test_programs_get_prompt_and_completion_as_they_are() -> None:
    problem = Problem("humaneval", "HumanEval/38", "def encode(x):\n    return x\ndef decode(x):\n", "    return x\n", "", "decode")
    assert solution_of(problem, problem.prompt, "    return x\n") == reference_of(problem)


def test_a_chat_answer_replaces_the_signature_and_keeps_the_helpers_that_tests_call() -> None:
    problem = next(one for one in load_benchmark("humaneval") if one.problem_id == "HumanEval/38")
    answer = "def decode_cyclic(s):\n    return encode_cyclic(encode_cyclic(s))"
    program: dict[str, Any] = {}
    exec(solution_of(problem, "asked", answer, "chat"), program)
    assert program["decode_cyclic"](program["encode_cyclic"]("abcdef")) == "abcdef"


def test_every_humaneval_prompt_can_stand_before_an_answer() -> None:
    for problem in load_benchmark("humaneval"):
        compile(solution_of(problem, "asked", f"def {problem.entry_point}(*args):\n    return 1", "chat"), problem.problem_id, "exec")

import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.prompts import model_prompt, reference_of, solution_of, stop_strings
from snowcoder.inference.engine import cut_at_stop

EVALPLUS = Problem("humaneval_plus", "HumanEval/0", "\n\ndef f(x):\n    '''x'''\n\n", "    return x\n", "", "f", "evalplus", "{}")
SIGNATURE = "import os\ndef f(x):"
BIGCODE = Problem("bigcodebench", "BigCodeBench/0", SIGNATURE + "\n    '''x'''", "    return x\n", "", "f", "unittest", SIGNATURE, "Do it.")


@pytest.mark.parametrize(("strip", "end"), [(True, ""), (False, "\n")])
def test_a_prompt_ends_where_its_text_does_or_in_one_newline(strip: bool, end: str) -> None:
    assert model_prompt(EVALPLUS, strip) == "def f(x):\n    '''x'''" + end


def test_instructions_are_asked_where_there_are_some() -> None:
    assert model_prompt(BIGCODE, False, "instruct").endswith("markdown code block:\nDo it.\n")
    with pytest.raises(ValueError, match="humaneval_plus: has no instructions"):
        model_prompt(EVALPLUS, False, "instruct")


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
    assert solution_of(BIGCODE, "asked", answer, "instruct") == "import os\ndef f(x):\n    pass\ndef f(x):\n    return x"


def test_test_programs_get_prompt_and_completion_as_they_are() -> None:
    problem = Problem("humaneval", "HumanEval/38", "def encode(x):\n    return x\ndef decode(x):\n", "    return x\n", "", "decode")
    assert solution_of(problem, problem.prompt, "    return x\n") == reference_of(problem)

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.evaluation.grading.repairing import count_unparsed, parses, python_blocks, repair

SOLUTION = "def f(x):\n    return g(x)\n\n\n@staticmethod\ndef g(x):\n    return x\n"
FENCED = f"Here is the code:\n```python\n{SOLUTION}```\nIt works.\n"
PROMPT = 'import math\n\n\ndef f(x):\n    """A long text.\n\n    It has\n    more lines\n    than the\n    solution.\n    """\n'
TOKENS = (
    *("<|endoftext|>", "<|im_end|>", "</s>", "<|eot_id|>", "<end_of_turn>", "<|file_sep|>", "<file_sep>", "<fim_prefix>", "<fim_middle>"),
    *("<|end|>", "<|EOT|>", "<eos>", "<|end_of_text|>", "<EOT>", "<|fim_pad|>", "[/INST]", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
)


def result(program: str, argument: object = 7) -> object:
    """What `f` returns."""
    namespace: dict[str, object] = {}
    exec(program, namespace)
    return namespace["f"](argument)  # type: ignore[operator]


@pytest.mark.parametrize("token", TOKENS)
def test_an_end_token_and_what_follows_it_is_cut_off(token: str) -> None:
    for text in (
        f"{SOLUTION}{token}",
        f"{SOLUTION.rstrip()}{token}\n",
        f"{SOLUTION}{token}{token}def f(x): other(",
        f"{token}{SOLUTION}{token}",
    ):
        assert count_unparsed([("", text)]) == {"samples": 1, "end_token": 1, "code_fence": 0}
        assert repair(text, "f").strip() == SOLUTION.strip()


@pytest.mark.parametrize("token", TOKENS)
def test_an_end_token_after_a_completion_is_cut_off(token: str) -> None:
    assert repair(f"    return x{token}", "f", PROMPT) == f"{PROMPT}    return x"
    assert repair(f"    return x\n{token}\nmore (", "f", PROMPT) == f"{PROMPT}    return x\n"


@pytest.mark.parametrize(
    "text",
    [
        FENCED,
        FENCED.replace("```python", "```"),
        FENCED.replace("```python", "```py title='a.py'"),
        FENCED.replace("```python", "~~~python").replace("```", "~~~"),
        FENCED.replace("```", "````"),
        FENCED.replace("```\nIt", "```<|im_end|>\nIt"),
        FENCED.replace("\n```\nIt works.\n", "```"),  # the closing fence follows the code on its line
        FENCED.split("```\nIt")[0],  # cut off before its end
        FENCED.replace("\n", "\r\n"),
        "1. The code:\n" + "".join(f"   {line}\n" for line in FENCED.splitlines()),
        "".join(f"> {line}\n" for line in FENCED.splitlines()),
        f"\ufeff{SOLUTION}<|endoftext|>",
        f"<filename>a/b.py\n{SOLUTION}<|endoftext|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{SOLUTION}<|eot_id|>",
        f"{SOLUTION}<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>",
        f"### Solution:\n{SOLUTION}\n### Explanation:\nIt does so.",
        f"<answer>\n{SOLUTION}</answer>",
        f"<|im_start|>assistant\n{FENCED}<|im_end|>",
        f"<think>\nMaybe\n```python\ndef f(x):\n    return 0\n```\n</think>\n{FENCED}",
        f"First\n```bash\npip install x\n```\nthen\n{FENCED}and use it:\n```python\nprint(f(input()))\n```\n",
        f"An example:\n```python\nprint(f(1))\n```\n{FENCED}",
        f"A test:\n```\n>>> f(1)\n1\n```\n{FENCED}",
        f"{FENCED}Or shorter:\n```python\ndef f(x):\n    return 0\n```\n",
        f"{SOLUTION}```\nThat was it.",
        f"[PYTHON]\n{SOLUTION}[/PYTHON]\nThat was it.",
        f"Sure, I can help:\n\n{SOLUTION}\nThis returns the number itself.",
        f"{SOLUTION}\ndef unfinished(x):\n    return (x +",
    ],
)
def test_the_program_is_taken_out_of_an_answer(text: str) -> None:
    assert not parses(text)
    program = repair(text, "f")
    assert result(program) == 7
    assert "@staticmethod" in program  # what EvalPlus' sanitising drops


@pytest.mark.parametrize(
    "completion",
    [
        FENCED,
        "```python\n    return x\n```\n",
        "```python\nreturn x\n```\n",
        "    return x\n```\nThis was it:\n```python\nprint(f(0))\n```\n",
        "Here it is:\n\ndef f(x):\n    return x\n\nThat was it.\n",
        "return x",
        "y = x\n    return y<|endoftext|>",
        "    return x\n\nIt gives the number back.\n",
        "    return x\n\n\ndef other(x):\n    return (",
    ],
)
def test_a_completion_keeps_its_prompt(completion: str) -> None:
    program = repair(completion, "f", PROMPT)
    assert result(program) == 7
    assert program.startswith(PROMPT)


@pytest.mark.parametrize("body", ["pass", "...", '"""Words."""', "raise NotImplementedError", 'raise NotImplementedError("later")'])
def test_a_block_with_a_signature_alone_is_not_the_solution(body: str) -> None:
    text = f"The stub:\n```python\ndef f(x):\n    {body}\n```\nFilled in:\n```python\ndef f(x):\n    return x\n```\n"
    namespace: dict[str, Any] = {}
    exec(repair(text, "f"), namespace)
    assert namespace["f"](3) == 3


@pytest.mark.parametrize(
    "text",
    [
        f"[BEGIN]\n{SOLUTION}[DONE]\n",
        f"{SOLUTION}[DONE]",
        f"{SOLUTION}\n[DONE]\n\nYou are an expert programmer\n[BEGIN]\ndef f(x):\n    return 0\n[DONE]\n",
        f"[BEGIN]\r\n{SOLUTION}[DONE]\r\n",
    ],
)
def test_the_tags_of_mbpps_prompt_are_no_lists(text: str) -> None:
    assert not parses(text)
    assert result(repair(text, "f")) == 7
    assert count_unparsed([("", text)]) == {"samples": 1, "end_token": 0, "code_fence": 1}


def test_helpers_in_an_earlier_block_are_kept() -> None:
    text = "A helper:\n```python\ndef g(x):\n    return x\n```\nThe function:\n```python\ndef f(x):\n    return g(x)\n```\n"
    assert result(repair(text, "f")) == 7


@pytest.mark.parametrize(
    "text",
    [
        SOLUTION,
        'def f(x):\n    """\n    ```\n    f(1)\n    ```\n    """\n    return x\n',
        'def f(x):\n    return x.split("<|endoftext|>")\n',
        SOLUTION + "# <|endoftext|>\n",
        "DONE = 7\n\ndef f(x):\n    y = [DONE]\n    [DONE]\n    return y[0]\n",
        "def f(x):\n    return 0\n",  # wrong
        "",
        "Here",
    ],
)
def test_what_parses_is_left_to_the_letter(text: str) -> None:
    assert repair(text, "f") == text


def test_a_token_in_a_string_does_not_cut_the_program() -> None:
    assert result(repair('def f(x):\n    return "<pad>"\n<|endoftext|>', "f")) == "<pad>"


def test_a_text_without_the_function_is_left() -> None:
    for text in ("I am sorry, I cannot help with that.", "```python\ndef other(x):\n    return x\n```", "def f(x:\n", "<|endoftext|>"):
        assert repair(text, "f") == text


def test_counts_are_of_what_does_not_parse() -> None:
    samples = [("", SOLUTION), ("", SOLUTION + "<|endoftext|>"), ("", FENCED), ("", "def f(:"), (PROMPT, "    return x\n```<|im_end|>")]
    assert count_unparsed(samples) == {"samples": 4, "end_token": 2, "code_fence": 2}


def test_blocks_end_with_a_fence_of_their_own_kind() -> None:
    assert python_blocks("```\na\n~~~\nb\n```\nc\n~~~python\nd\n~~~\n```js\ne\n```\n```py\nf") == ["a\n~~~\nb\n", "d\n", "f\n"]


@pytest.mark.parametrize(
    "text", ["\0", "\ud800<|endoftext|>", "(" * 50_000, "-" * 200_000 + "1", "<s>" * 20_000, "```\n" * 2000, "x" * 10**7]
)
def test_anything_can_be_asked(text: str) -> None:
    assert isinstance(repair(text, "f"), str)
    assert isinstance(repair(text, "f", PROMPT), str)


PIECES = ["```", "```python\n", "\n", "<|endoftext|>", "def f(x):\n", "    return x\n", "prose here\n", "[PYTHON]\n", "<think>", "</think>"]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_comes_out_parses_or_is_what_came_in(text: str) -> None:
    program = repair(text, "f")
    if program != text:
        assert any(isinstance(node, ast.FunctionDef) and node.name == "f" for node in ast.parse(program).body)

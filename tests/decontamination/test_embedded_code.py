"""snowcoder.decontamination.embedded_code: code in strings is found like code in files."""

import json
import textwrap
import time
from collections.abc import Callable

import pytest

from bench.disguises import renamed_solution
from snowcoder.decontamination.embedded_code import holds_code, unescape
from tests.decontamination.problems import human_eval, plant, screen, strongest

ORDINARY = "def f(a):\n    return a\n"


@pytest.mark.parametrize("wrap", [repr, json.dumps, lambda text: f'(\n    """\n{textwrap.indent(text, "        ")}"""\n)'])
def test_a_renamed_solution_is_found_in_a_string(wrap: Callable[[str], str]) -> None:
    code = renamed_solution(human_eval()[1], "v") + "\n"
    content = plant(f"# é\nSOURCE = {wrap(code)}")
    overlap = strongest(content)
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "syntax_tree")
    assert content[overlap.start_char : overlap.end_char] == content[content.index("SOURCE") + 9 : content.index("\n\n\ndef after")].strip(
        "()\n "
    )


@pytest.mark.parametrize("prefix", ["", "Here is the code:\n```python\n"])
def test_a_renamed_solution_is_found_in_rows_of_json(prefix: str) -> None:
    row = json.dumps({"instruction": "é", "output": prefix + renamed_solution(human_eval()[1], "v")})
    content = f"{json.dumps({'output': 'none'})}\n{row}\n"
    overlap = strongest(content)
    assert overlap is not None
    assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "renamed" if prefix else "syntax_tree")
    assert json.loads(content[overlap.start_char : overlap.end_char]).endswith(renamed_solution(human_eval()[1], "v"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):\n    return x\n", True),
        ("x = 1\n    return x", True),
        ("Sorts.\n\nReturns the list, and would return None.\n", False),
        ("def f(x): return x", False),  # one line
        ("", False),
    ],
)
def test_code_is_told_from_prose_by_the_beginning_of_a_line(text: str, expected: bool) -> None:
    assert holds_code(text) == expected


def test_the_value_of_a_string_of_json() -> None:
    assert unescape('"a\\nb\\u00e9"') == "a\nb\u00e9"
    assert unescape("'a'") == unescape('"a\\x"') == ""


def test_a_file_of_many_strings_takes_no_more_than_its_strings() -> None:
    few, many = ("\n".join(f'x{number} = """\n{ORDINARY}"""' for number in range(count)) for count in (200, 2000))
    seconds = []
    for content in (few, many):
        started = time.process_time()
        assert screen().overlaps(content) == []
        seconds.append(time.process_time() - started)
    assert seconds[1] < 40 * seconds[0]  # 100 if every string were looked for from the top


def test_code_in_a_docstring_and_in_a_fence_of_markdown_is_found() -> None:
    code = renamed_solution(human_eval()[1], "v")
    docstring = f'def g():\n    """Example::\n\n{textwrap.indent(code, "        ")}\n    """\n    return 1\n'
    for content in (docstring, f"# Answer\n```python\n{code}\n```\n"):
        overlap = strongest(content)
        assert overlap is not None
        assert (overlap.problem_id, overlap.method) == ("HumanEval/1", "renamed")

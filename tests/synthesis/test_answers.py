import pytest

from snowcoder.exercises.cutout import Refusal
from snowcoder.inference.engine import Completion
from snowcoder.synthesis.answers import read_document
from snowcoder.synthesis.documents import SyntheticDocument

FILE = '"""Add two numbers."""\n\n\ndef add(a, b):\n    return a + b\n\n\nassert add(1, 2) == 3\n'
CALLED = """
def test_a():
    assert 1
    assert 2


def test_b():
    assert 3


if __name__ == "__main__":
    test_a()
    assert 4
"""


def _read(text: str, language: str = "python", chat: bool = True, finish_reason="stop") -> SyntheticDocument | Refusal:
    return read_document(Completion(text, finish_reason, 9), language, chat)


@pytest.mark.parametrize(
    "text",
    [f"```python\n{FILE}```", f"Here is the file:\n\n```py\n{FILE}```\nI hope this helps!", f"~~~\n{FILE}~~~", f"````python\n{FILE}````\n"],
)
def test_the_file_is_what_stands_in_the_block(text: str):
    document = _read(text)
    assert isinstance(document, SyntheticDocument)
    assert document.content == FILE
    assert (document.problem, document.n_tests, document.tests_from) == ("Add two numbers.", 1, "model")
    assert document.tests == "assert add(1, 2) == 3"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I cannot help with that.", "no_code_block"),
        (f"```python\n{FILE}```\nand\n```python\nx = 1\n```", "several_code_blocks"),
        ("```rust\nfn main() {}\n```", "other_language"),
        ("```python\n\n```", "empty_answer"),
    ],
)
def test_what_is_no_file_is_refused(text: str, reason: str):
    result = _read(text)
    assert isinstance(result, Refusal)
    assert result.reason == reason


def test_a_continuation_is_the_file_itself():
    document = _read("\n" + FILE + "\n\n", chat=False)
    assert isinstance(document, SyntheticDocument)
    assert document.content == FILE


def test_an_answer_that_was_cut_goes_on_to_be_counted_as_unfinished():
    document = _read(f"```python\n{FILE[:40]}", finish_reason="length")
    assert isinstance(document, SyntheticDocument)
    assert document.finish_reason == "length"


def test_checks_count_where_they_run():
    document = _read(CALLED, chat=False)
    assert isinstance(document, SyntheticDocument)
    assert document.n_tests == 3  # nothing calls test_b


def test_other_languages_carry_no_tests_of_ours():
    document = _read("```ts\nconst x = 1;\n```", "typescript")
    assert isinstance(document, SyntheticDocument)
    assert (document.content, document.n_tests, document.tests_from) == ("const x = 1;\n", 0, "")

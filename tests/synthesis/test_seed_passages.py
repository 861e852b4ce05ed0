import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.inference.engine import Chat
from snowcoder.synthesis.seed_passages import MAX_LINES, seed_passage
from snowcoder.synthesis.seeds import choose_seeds_by_language
from snowcoder.synthesis.teacher_prompts import teacher_prompt, teacher_stop_strings

SOURCE = "import math\n\n\n@cache\ndef area(r):\n    return math.pi * r * r\n\n\nclass Box:\n    side = 1\n"


@given(st.lists(st.text(alphabet="ab \t", max_size=12), max_size=40), st.integers(0, 9))
def test_lines_are_a_run_of_the_file(lines: list[str], seed: int):
    content = "\n".join(lines)
    passage = seed_passage(content, "css", "lines", 10_000, seed)
    assert passage in content
    assert passage.count("\n") < MAX_LINES
    assert bool(passage.strip()) == any(line.strip() for line in lines)
    assert passage == seed_passage(content, "css", "lines", 10_000, seed)


def test_a_function_comes_whole_with_its_decorators():
    found = {seed_passage(SOURCE, "python", "function", 10_000, seed) for seed in range(20)}
    assert found == {"@cache\ndef area(r):\n    return math.pi * r * r", "class Box:\n    side = 1"}


def test_a_file_comes_whole_up_to_the_limit():
    assert seed_passage(SOURCE, "python", "file", 10_000, 0) == SOURCE.strip()
    assert seed_passage(SOURCE, "python", "file", 30, 0) == "import math\n\n\n@cache"


@pytest.mark.parametrize("unit", ["lines", "function", "file"])
def test_an_empty_file_gives_an_empty_passage(unit):
    assert seed_passage("\n\n", "python", unit, 100, 0) == ""


def test_prompts_name_language_and_passage():
    chat = teacher_prompt("instruct-1", "cpp", "int {x};")
    assert isinstance(chat, Chat)
    assert "int {x};" in chat.user
    assert "self-contained C++ file" in chat.user
    base = teacher_prompt("base-1", "python", "x = 1")
    assert isinstance(base, str)
    assert "x = 1" in base
    assert base.endswith("===\n")
    assert teacher_stop_strings("base-1")[0].strip() in base
    assert teacher_stop_strings("instruct-1") == ()


def test_python_gets_its_share_and_the_others_keep_theirs():
    counts = {"python": 40, "css": 30, "c": 10, "html": 20}
    scored = [
        {"file_id": f"{language}-{number}", "language": language, "split": "train", "score": float(number)}
        for language, count in counts.items()
        for number in range(count)
    ]
    scored += [{"file_id": "held-1", "language": "c", "split": "held_out", "score": 99.0}]
    train_bytes = {"python": 4000, "css": 600, "c": 200, "html": 400}
    chosen = [file_id.split("-")[0] for file_id in choose_seeds_by_language(scored, 0.3, 0.5, train_bytes)]
    assert {language: chosen.count(language) for language in set(chosen)} == {"python": 12, "css": 6, "c": 2, "html": 4}
    assert {"c-9", "c-8"} <= set(choose_seeds_by_language(scored, 0.3, 0.5, train_bytes))
    # by bytes and not by files: css has nine tenths of them, and gives what it has
    more_css = choose_seeds_by_language(scored, 0.3, 0.25, train_bytes | {"css": 5400})
    assert sorted(file_id.split("-")[0] for file_id in more_css).count("css") == 30
    assert len(choose_seeds_by_language(scored, 0.3, 1.0, train_bytes)) == 12

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError
from snowcoder.evaluation.measuring.bits_per_byte_params import HeldOutSetParams, MeasureBitsPerByteParams, ValidationSetParams
from snowcoder.evaluation.measuring.text_sets import (
    ScoredText,
    count_as_written,
    documented_functions,
    held_out_texts,
    read_held_out,
    reference_solutions,
    text_sets,
    unseen_functions,
)
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import write_table

SCHEMA = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
MANY = ValidationSetParams(max_functions=100, max_functions_per_repository=100, max_functions_per_file=100)


def _function(name: str) -> str:
    return f'def {name}(x):\n    """Do {name}."""\n    y = x + 1\n    return y\n\n\n'


def _row(repository: str, path: str, content: str, split: str = "held_out", language: str = "python") -> dict[str, Any]:
    file = make_source_file(
        source="t", repository=repository, path=path, language=language, content=content, licence="MIT", download_rank=1, revision="1"
    )
    return file.row() | {"split": split}


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    files = [_row(f"r{index % 3}", f"{index}.py", "".join(_function(f"f{index}_{part}") for part in range(4))) for index in range(9)]
    return [*files, _row("r0", "a.js", "let x = 'é';\n" * 20, language="javascript"), _row("r1", "b.py", "x = 1\n")]


def test_functions_are_split_at_their_docstring(rows: list[dict[str, Any]]) -> None:
    pairs = documented_functions(rows, MANY, seed=1)
    assert len(pairs) == 36
    assert ScoredText('def f0_0(x):\n    """Do f0_0."""\n', "    y = x + 1\n    return y\n", "r0") in pairs


def test_the_order_of_the_files_does_not_matter(rows: list[dict[str, Any]]) -> None:
    shuffled = random.Random(0).sample(rows, len(rows))
    few = ValidationSetParams(max_functions=7, max_functions_per_repository=4, max_functions_per_file=2)
    assert documented_functions(rows, few, 1) == documented_functions(shuffled, few, 1)
    some = HeldOutSetParams(max_bytes=600, max_bytes_per_file=100)
    assert held_out_texts(rows, some, 1) == held_out_texts(shuffled, some, 1)


def test_another_seed_takes_other_functions(rows: list[dict[str, Any]]) -> None:
    few = ValidationSetParams(max_functions=5, max_functions_per_repository=5, max_functions_per_file=2)
    assert documented_functions(rows, few, 1) != documented_functions(rows, few, 2)


@pytest.mark.parametrize(
    ("per_repository", "per_file", "expected"),
    [(100, 1, 9), (4, 100, 12), (5, 2, 15), (100, 100, 30)],
)
def test_caps(rows: list[dict[str, Any]], per_repository: int, per_file: int, expected: int) -> None:
    caps = ValidationSetParams(max_functions=30, max_functions_per_repository=per_repository, max_functions_per_file=per_file)
    texts = documented_functions(rows, caps, seed=1)
    assert len(texts) == len({text.pair for text in texts}) == expected


def test_a_copied_function_is_taken_once() -> None:
    laid_out_otherwise = _function("f").replace("y = x + 1", "y=(x+1)  # one more")
    rows = [_row("a", "x.py", _function("f")), _row("b", "y.py", "import os\n\n\n" + laid_out_otherwise)]
    assert len(documented_functions(rows, MANY, seed=1)) == 1


def test_nothing_to_validate_on_is_an_error() -> None:
    with pytest.raises(EmptyResultError, match="no documented Python function"):
        documented_functions([_row("a", "x.py", "x = 1\n")], MANY, seed=1)


def test_held_out_texts_fill_the_budget_exactly(rows: list[dict[str, Any]]) -> None:
    pairs = held_out_texts(rows, HeldOutSetParams(max_bytes=500, max_bytes_per_file=90), seed=1)
    sizes = [len(text.encode()) for _, text, _ in pairs]
    assert all(prompt == "" for prompt, _, _ in pairs)
    assert max(sizes) <= 90
    assert 499 <= sum(sizes) <= 500
    contents = [row["content"] for row in rows]
    assert all(any(content.startswith(text) for content in contents) for _, text, _ in pairs)


def test_a_text_is_not_cut_within_a_character() -> None:
    [(_, text, _)] = held_out_texts([_row("a", "x.py", "éé")], HeldOutSetParams(max_bytes=3, max_bytes_per_file=3), seed=1)
    assert text == "é"


def test_reading_keeps_the_splits_apart(tmp_path: Path) -> None:
    rows = [_row("a", "x.py", "train", "train"), _row("b", "y.py", "held", "held_out"), _row("c", "z.py", "too", "train")]
    write_table(tmp_path, [pa.Table.from_pylist(rows[:2], SCHEMA), pa.Table.from_pylist(rows[2:], SCHEMA)], SCHEMA)
    assert [row["content"] for row in read_held_out(tmp_path)] == ["held"]


def test_no_held_out_row_is_an_error(tmp_path: Path) -> None:
    write_table(tmp_path, [pa.Table.from_pylist([_row("a", "x.py", "t", "train")], SCHEMA)], SCHEMA)
    with pytest.raises(EmptyResultError, match="held_out_fraction"):
        read_held_out(tmp_path)


def test_reference_solutions_by_benchmark_each_a_cluster_of_its_own() -> None:
    problems = [
        Problem("a", "1", "def f(x):\n", "\n\n\treturn(x)\n\n", "t", "e"),
        Problem("b", "1", "p2", "no Python (", "t", "e"),
        Problem("a", "2", '"""Write g."""\n', "\ndef g( y ):\n  return y", "t", "e"),
    ]
    sets = reference_solutions(problems)
    assert sets == {
        "a": [ScoredText("def f(x):\n", "    return x\n", "1"), ScoredText('"""Write g."""\n', "def g(y):\n    return y\n", "2")],
        "b": [ScoredText("p2", "no Python (", "1")],
    }
    assert {name: count_as_written(texts) for name, texts in sets.items()} == {"a": 0, "b": 1}


def _unseen(repository: str, name: str, body: str = "    return x\n") -> dict[str, Any]:
    prompt = f'def {name}(x):\n    """Do {name}."""\n'
    return {"repository": repository, "path": f"{name}.py", "name": name, "prompt": prompt, "body": body, "content_sha256": "0" * 64}


def test_unseen_functions_come_in_one_order_and_once() -> None:
    rows = [_unseen("b", "f"), _unseen("a", "f", "    return (x)  # as it is\n"), _unseen("b", "g")]
    texts = unseen_functions(rows)
    assert [(text.cluster, text.prompt[4]) for text in texts] == [("a", "f"), ("b", "g")]
    assert texts == unseen_functions(rows[::-1])


def test_all_sets_and_no_unseen_one_without_rows(rows: list[dict[str, Any]]) -> None:
    caps = {"max_functions": 9, "max_functions_per_repository": 9, "max_functions_per_file": 9}
    values = {"seed": 1, "precision": "float32", "cpu_threads": 1, "batch_tokens": 9, "resamples": 9, "validation": caps}
    values["held_out"] = {"max_bytes": 300, "max_bytes_per_file": 90}
    params = validate(values, MeasureBitsPerByteParams, "measure_bits_per_byte")
    problems = [Problem("humaneval", "1", "def f(x):\n", "    return x\n", "t", "f")]
    sets = text_sets(problems, rows, [_unseen("u", "f")], params)
    assert {name: len(texts) for name, texts in sets.items()} == {"humaneval": 1, "validation": 9, "held_out": 4, "unseen": 1}
    assert {text.cluster for text in sets["validation"]} <= {"r0", "r1", "r2"}
    assert text_sets(problems, rows, [], params).keys() == sets.keys() - {"unseen"}

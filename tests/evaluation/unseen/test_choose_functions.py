"""Functions of evaluation-only distributions: which are taken, which a training file holds, and that the counts add up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.benchmarks.problem import Problem
from snowcoder.corpus.sources import WheelSource
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.errors import EmptyResultError
from snowcoder.evaluation.unseen.choose_functions import UNSEEN_SCHEMA, build_unseen
from snowcoder.evaluation.unseen.unseen_functions import gather_functions
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams, UnseenFunctionRules
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, SourceFile, make_source_file
from snowcoder.storage.shards import list_shards, read_table, write_table
from tests.decontamination.problems import PARAMS as COMMITTED

RULES = UnseenFunctionRules(max_functions_per_repository=2, min_statements=2, max_function_bytes=400, max_containment=0.5)
PARAMS = FetchUnseenParams(
    max_files_per_repository=100,
    max_bytes_per_repository=10**6,
    max_file_bytes=10**5,
    languages=["python"],
    source=WheelSource(kind="wheels", lock="data/unseen.lock", table="data/unseen.csv"),
    functions=RULES,
)
VOWELS = '    found = [letter for letter in sentence if letter in "aeiou"]\n    return len(found)\n'
PROBLEM = Problem(
    "humaneval", "HumanEval/999", "def count_vowels(sentence):\n", VOWELS, "def check(c):\n    assert c('a') == 1\n", "count_vowels"
)
SCREEN = BenchmarkScreen([PROBLEM], COMMITTED.model_copy(update={"ngram_tokens": 4, "min_match_tokens": 6}))
TEXTS = [
    "    total = sum(values)\n    return total / len(values) if values else 0.0\n",
    "    seen = set()\n    for item in values:\n        seen.add(item)\n    return sorted(seen)\n",
    "    low, high = min(values), max(values)\n    return [(value - low) / (high - low) for value in values]\n",
    "    pairs = zip(values, values[1:], strict=False)\n    return [second - first for first, second in pairs]\n",
]


def function(name: str, body: str, argument: str = "values", doc: str = "Tells something of its input.") -> str:
    return f'def {name}({argument}):\n    """{doc}"""\n{body}'


def file(path: str, content: str, repository: str = "unseen", language: str = "python") -> SourceFile:
    return make_source_file(
        source="t", repository=repository, path=path, language=language, content=content, licence="MIT", download_rank=None, revision="1"
    )


def shards(folder: Path, *contents: str, repository: str = "trained") -> list[Path]:
    rows = [file(f"trained/f{number}.py", content, repository).row() for number, content in enumerate(contents)]
    write_table(folder, [pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA)], SOURCE_FILE_SCHEMA)
    return list_shards(folder)


@pytest.fixture(autouse=True)
def _serial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


def build(tmp_path: Path, files: Sequence[SourceFile], *corpus: str, repository: str = "trained") -> dict[str, Any]:
    trained_on = {
        "corpus": shards(tmp_path / "corpus", *corpus, repository=repository),
        "positives": shards(tmp_path / "positives", "x = 1\n"),
    }
    return build_unseen(files, trained_on, SCREEN, PARAMS, 5, tmp_path / "out")


def names(tmp_path: Path) -> list[str]:
    return [row["name"] for row in read_table(tmp_path / "out").to_pylist()]


def test_prompt_and_body_are_the_function_and_every_drop_is_counted(tmp_path: Path):
    content = "import math\n\n\n" + function("root", "    value = math.sqrt(number)\n    return round(value, 3)\n", "number")
    content += (
        function("short", "    return number\n", "number")
        + "async "
        + function("later", TEXTS[0])
        + function("long", TEXTS[1], doc="x" * 400)
    )
    content += function("vowels", VOWELS, "sentence")
    files = [file("unseen/a.py", content), file("unseen/tests/test_a.py", content), file("unseen/a.js", "x", language="javascript")]
    metrics = build(tmp_path, files, "x = 1\n")
    table = read_table(tmp_path / "out")
    assert table.schema.equals(UNSEEN_SCHEMA)
    (row,) = table.to_pylist()
    assert row["prompt"] == 'import math\n\n\ndef root(number):\n    """Tells something of its input."""\n'
    assert row["body"] == "    value = math.sqrt(number)\n    return round(value, 3)\n"
    assert metrics["files"] == {"rows_in": 3, "rows_out": 1, "dropped": {"is_a_test": 1, "not_python": 1}}
    dropped = {"few_statements": 1, "is_async": 1, "too_large": 1, "generic_match": 1}
    assert metrics["functions"] == {"rows_in": 5, "rows_out": 1, "dropped": dropped}
    assert [(row["source"], row["path"]) for row in read_table(tmp_path / "out" / "ledger").to_pylist()] == [
        ("unseen", "unseen/a.py/vowels")
    ]


RENAMED = """
def other(values):
    # a comment
    total = sum(values)
    return total / len(values) if values else 0.0
"""
METHOD = """
class A:
    def mean( values ):
        total = sum( values )
        return (total / len(values)
                if values else 0.0)
"""
LONGER = function("longer", "    values = list(values)\n" + TEXTS[0].replace("return", "mean =") + "    return mean * 2\n")
COPIES = {"renamed, without its docstring": RENAMED, "a method with another layout": METHOD, "inside longer code": LONGER}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_function_that_a_corpus_file_holds_is_dropped(tmp_path: Path, copy: str):
    files = [file("unseen/a.py", function("mean", TEXTS[0]) + function("distinct", TEXTS[1]))]
    metrics = build(tmp_path, files, "x = 1\n", copy)
    assert names(tmp_path) == ["distinct"]
    assert metrics["functions"]["dropped"] == {"in_corpus": 1}


def test_a_copy_that_comments_break_up_is_known_by_its_tree(tmp_path: Path):
    body = "    total = (  # one\n        sum(  # two\n            values  # three\n        )  # four\n    )  # five\n"
    body += "    return (  # six\n        total  # seven\n        / len(  # eight\n            values  # nine\n        )  # ten\n"
    body += "        if values  # eleven\n        else 0.0  # twelve\n    )\n"
    metrics = build(tmp_path, [file("unseen/a.py", function("mean", TEXTS[0]) + function("distinct", TEXTS[1]))], function("m", body))
    assert metrics["functions"]["dropped"] == {"in_corpus": 1}


def test_a_function_that_a_positive_holds_is_dropped(tmp_path: Path):
    trained_on = {"corpus": shards(tmp_path / "corpus", "x = 1\n"), "positives": shards(tmp_path / "positives", function("m", TEXTS[0]))}
    files = [file("unseen/a.py", function("mean", TEXTS[0]) + function("distinct", TEXTS[1]))]
    metrics = build_unseen(files, trained_on, SCREEN, PARAMS, 5, tmp_path / "out")
    assert metrics["functions"]["dropped"] == {"in_positives": 1}


def test_a_repository_that_the_corpus_names_is_left_out(tmp_path: Path):
    files = [file("a.py", function("mean", TEXTS[0]), "my-lib"), file("b.py", function("distinct", TEXTS[1]), "other")]
    metrics = build(tmp_path, files, "x = 1\n", repository="someone/My_Lib")
    assert metrics["files"]["dropped"] == {"trained_on": 1}
    assert metrics["by_repository"] == {"other": 1}


def test_nothing_left_names_the_reasons(tmp_path: Path):
    with pytest.raises(EmptyResultError, match=r"few_statements.*widen data/unseen.lock"):
        build(tmp_path, [file("a.py", function("short", "    return 1\n"))], "x = 1\n")


def test_a_function_of_two_distributions_is_taken_once_and_the_limit_holds_per_distribution(tmp_path: Path):
    first = [file(f"unseen/{number}.py", function(f"f{number}", body), "one") for number, body in enumerate(TEXTS)]
    metrics = build(tmp_path, [*first, file("b.py", function("copy", TEXTS[0]), "two")], "x = 1\n")
    assert metrics["functions"]["dropped"]["repeated"] == 1
    assert max(metrics["by_repository"].values()) == RULES.max_functions_per_repository


@given(st.permutations(range(len(TEXTS))))
def test_the_order_of_the_files_decides_nothing(order: list[int]):
    files = [file(f"unseen/{number}.py", function(f"f{number}", body)) for number, body in enumerate(TEXTS)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNOWCODER_EXECUTOR", "serial")
        found = [gather_functions([files[number] for number in order], frozenset(), RULES) for order in (order, range(len(TEXTS)))]
    assert found[0] == found[1]

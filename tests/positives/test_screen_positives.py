"""Positives from a small real wheel, screened against a small corpus and one benchmark problem."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.corpus.sources import WheelSource
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.errors import EmptyResultError
from snowcoder.exercises.names import parse
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.positives.screen_positives import DROPPED_POSITIVE_SCHEMA, POSITIVE_SCHEMA, build_positives
from snowcoder.positives.teaching_code import documented_fraction, gather_teaching_code, refuse_file
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, SourceFile, make_source_file
from snowcoder.storage.shards import list_shards, read_table, write_table
from tests.decontamination.problems import PARAMS as COMMITTED
from tests.exercises.exercise_rules import LIMITS, RULES

PARAMS = FetchPositivesParams(
    max_files_per_repository=100,
    max_bytes_per_repository=10**6,
    max_file_bytes=10**5,
    languages=["python"],
    source=WheelSource(kind="wheels", lock="data/positives.lock", table="data/positives.csv"),
    min_file_bytes=40,
    min_documented_fraction=0.5,
    max_instructions_per_repository=2,
    exercises=RULES,
    sandbox=LIMITS,
)
ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
DEDUPLICATION = DeduplicationParams(ngram_tokens=5, n_permutations=64, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)
PROBLEM = Problem(
    "humaneval",
    "HumanEval/999",
    'def count_vowels(sentence):\n    """Count every vowel that the given sentence contains."""\n',
    '    found = [letter for letter in sentence if letter in "aeiou"]\n    return len(found)\n',
    "def check(candidate):\n    assert candidate('a') == 1\n",
    "count_vowels",
)
SCREEN = BenchmarkScreen([PROBLEM], COMMITTED.model_copy(update={"ngram_tokens": 4, "min_match_tokens": 6}))


def function(name: str, expression: str, example: str, want: str, doc: str = "") -> str:
    doc = doc or f"What {name} of a number is, told in some words of its own."
    head = f'def {name}(x):\n    """{doc}\n\n    >>> {name}({example})\n    {want}\n    """\n'
    return f"{head}    result = {expression}\n    return result\n\n\n"


def positive(path: str, content: str, repository: str = "teach", language: str = "python") -> SourceFile:
    return make_source_file(
        source="t", repository=repository, path=path, language=language, content=content, licence="MIT", download_rank=None, revision="1"
    )


NUMBERS = "".join(
    [
        function("double", "x + x", "2", "4"),
        function("square", "pow(x, 2) * 1", "3", "9"),
        function("negate", "0 - abs(x) if x > 0 else abs(x)", "5", "-5"),
        function("broken", "divmod(x, 7)[0]", "14", "3"),
    ]
)
SHARED = function("halves", "[x / 2 ** power for power in range(1, 4)]", "8.0", "[4.0, 2.0, 1.0]")
VOWELS = '''def vowels(sentence):
    """Count every vowel that the given sentence contains.

    >>> vowels("banana")
    3
    """
    found = [letter for letter in sentence if letter in "aeiou"]
    return len(found)
'''
FILES = [
    positive("teach/numbers.py", NUMBERS),
    positive("teach/shared.py", SHARED),
    positive("teach/vowels.py", VOWELS),
    positive("teach/tests/test_numbers.py", NUMBERS),
    positive("teach/bare.py", "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x + 2\n"),
]


def corpus(folder: Path, *contents: str) -> list[Path]:
    rows = [positive(f"pkg/file{number}.py", content, "vendor").row() for number, content in enumerate(contents)]
    write_table(folder, [pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA)], SOURCE_FILE_SCHEMA)
    return list_shards(folder)


@pytest.fixture(autouse=True)
def _serial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


def build(tmp_path: Path, *contents: str, params: FetchPositivesParams = PARAMS) -> dict[str, Any]:
    gathered = gather_teaching_code(FILES, params)
    return build_positives(gathered, corpus(tmp_path / "corpus", *contents), SCREEN, params, DEDUPLICATION, tmp_path / "out")


def test_positives_of_both_kinds_are_screened_and_accounted_for(tmp_path: Path):
    metrics = build(tmp_path, SHARED + "# vendored copy\n", "x = 1\n")
    table = read_table(tmp_path / "out")
    assert table.schema.equals(POSITIVE_SCHEMA)
    kept = [(row["kind"], row["path"]) for row in table.to_pylist()]
    assert [path for kind, path in kept if kind == "high_quality"] == ["teach/numbers.py"]
    pairs = [path for kind, path in kept if kind == "instruction"]
    assert len(pairs) == 2
    assert set(pairs) < {"teach/numbers/double.py", "teach/numbers/square.py", "teach/numbers/negate.py"}
    assert metrics["high_quality"] == {
        "rows_in": 5,
        "rows_out": 1,
        "repositories": 1,
        "dropped": {"benchmark_overlap": 1, "duplicate_of_corpus": 1, "few_docstrings": 1, "is_a_test": 1},
    }
    assert metrics["instruction"]["rows_in"] == 6
    assert metrics["instruction"]["dropped"]["sandbox_failed"] == 1
    assert metrics["instruction"]["dropped"]["over_instructions_per_repository"] == 1


@pytest.mark.parametrize("choice", ["drop", "keep"])
def test_a_file_with_a_generic_match_alone_is_dropped_or_kept_with_a_ledger_row(tmp_path: Path, choice: str):
    own_words = VOWELS.replace("Count every vowel that the given sentence contains.", "How often a, e, i, o and u occur.")
    screen = BenchmarkScreen([PROBLEM], SCREEN.params.model_copy(update={"generic_matches": choice}))
    gathered = gather_teaching_code([positive("teach/vowels.py", own_words.replace("sentence", "text")), FILES[0]], PARAMS)
    metrics = build_positives(gathered, corpus(tmp_path / "corpus", "x = 1\n"), screen, PARAMS, DEDUPLICATION, tmp_path / "out")
    kept = choice == "keep"
    assert metrics["high_quality"]["dropped"] == ({} if kept else {"generic_match": 1})
    assert metrics["contamination"]["humaneval"]["generic_match"] >= 1
    rows = [row for row in read_table(tmp_path / "out" / "ledger").to_pylist() if row["path"] == "teach/vowels.py"]
    assert [(row["reason"], row["dropped"]) for row in rows] == [("generic_match", not kept)]


def test_dropped_rows_name_the_corpus_file(tmp_path: Path):
    build(tmp_path, "x = 1\n", SHARED + "# vendored copy\n")
    dropped = read_table(tmp_path / "out" / "dropped")
    assert dropped.schema.equals(DROPPED_POSITIVE_SCHEMA)
    (row,) = [row for row in dropped.to_pylist() if row["kind"] == "high_quality"]
    assert (row["path"], row["kept_repository"], row["kept_path"], row["reason"]) == ("teach/shared.py", "vendor", "pkg/file1.py", "near")
    assert 0.7 <= row["jaccard"] < 1.0


def test_an_exact_copy_is_called_exact(tmp_path: Path):
    build(tmp_path, SHARED)
    (row,) = [row for row in read_table(tmp_path / "out" / "dropped").to_pylist() if row["kind"] == "high_quality"]
    assert (row["reason"], row["jaccard"]) == ("exact", 1.0)


def test_overlaps_with_a_benchmark_stand_in_the_ledger(tmp_path: Path):
    build(tmp_path, "x = 1\n")
    ledger = read_table(tmp_path / "out" / "ledger").to_pylist()
    assert {(row["source"], row["path"], row["problem_id"]) for row in ledger} == {
        ("positives", "teach/vowels.py", "HumanEval/999"),
        ("positives", "teach/vowels/vowels.py", "HumanEval/999"),
    }


def test_a_pair_is_a_problem_and_its_solution(tmp_path: Path):
    build(tmp_path, "x = 1\n", params=PARAMS.model_copy(update={"max_instructions_per_repository": 9}))
    texts = {row["path"]: row["content"] for row in read_table(tmp_path / "out").to_pylist()}
    assert texts["teach/numbers/double.py"] == (
        '"""Write a function `double(x)`.\n\nWhat double of a number is, told in some words of its own.\n"""\n\n\n'
        + function("double", "x + x", "2", "4").rstrip("\n")
        + "\n"
    )


def test_pairs_of_a_dropped_file_are_dropped(tmp_path: Path):
    metrics = build(tmp_path, SHARED)
    paths = read_table(tmp_path / "out")["path"].to_pylist()
    assert not [path for path in paths if "halves" in path]
    assert (
        metrics["instruction"]["dropped"].get("its_file_was_dropped", 0) + metrics["instruction"]["dropped"].get("duplicate_of_corpus", 0)
        == 1
    )


def test_no_positive_left_is_an_error(tmp_path: Path):
    with pytest.raises(EmptyResultError, match=r"no high_quality row is left of 5 .*data/positives.lock"):
        build(tmp_path, "x = 1\n", params=PARAMS.model_copy(update={"min_file_bytes": 10**6}))


@pytest.mark.parametrize(
    ("path", "content", "language", "reason"),
    [
        ("a/b.py", NUMBERS, "python", ""),
        ("a/b.js", NUMBERS, "javascript", "not_python"),
        ("a/tests/b.py", NUMBERS, "python", "is_a_test"),
        ("a/test_b.py", NUMBERS, "python", "is_a_test"),
        ("setup.py", NUMBERS, "python", "setup_file"),
        ("a/b.py", "x = 1\n", "python", "too_small"),
        ("a/b.py", "def (" + " " * 50, "python", "does_not_parse"),
        ("a/b.py", "x = 1\n" * 20, "python", "few_docstrings"),
    ],
)
def test_which_files_teach(path: str, content: str, language: str, reason: str):
    assert refuse_file(positive(path, content, language=language), PARAMS) == reason


def test_the_documented_fraction_counts_public_functions_and_classes():
    tree = parse('class A:\n    """Doc."""\n    def m(self): pass\n    def _p(self): pass\ndef f():\n    """Doc."""\ndef g(): pass\n')
    assert tree is not None
    assert documented_fraction(tree) == 0.5

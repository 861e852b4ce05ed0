import gzip
import json
import os
import re
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import BENCHMARKS, load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.errors import SourceError

HUMANEVAL_RECORD = {
    "task_id": "HumanEval/7",
    "prompt": "def double(x):\n",
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "base_input": [[1], [2]],
    "plus_input": [[1.5]],
    "atol": 1e-6,
}
MBPP_PROGRAM_RECORD = {
    "task_id": 7,
    "code": "def helper(x):\n    return x\n\ndef double(x):\n    return 2 * helper(x)\n",
    "prompt": "Write a function to double a number.",
    "test_list": ["assert sorted([double(2)]) == [4]", "assert double(3) == 6"],
    "test": "assert double(5) == 10\n",
}


def published(name: str) -> pytest.MarkDecorator:
    is_there = (Path(os.environ.get(FOLDER_VARIABLE, "/nonexistent")) / name).is_file()
    return pytest.mark.skipif(not is_there, reason=f"{name} is not in ${FOLDER_VARIABLE}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def write(path: Path, *records: dict[str, object]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode()))


def test_a_record_with_inputs_becomes_a_problem_graded_by_what_it_returns(folder: Path) -> None:
    write(folder / "HumanEvalPlus.jsonl.gz", HUMANEVAL_RECORD)
    (one,) = load_benchmark("humaneval_plus", accept_changed=True)
    assert (one.benchmark, one.problem_id, one.entry_point, one.grader) == ("humaneval_plus", "HumanEval/7", "double", "evalplus")
    assert json.loads(one.inputs) == {"family": "humaneval", "atol": 1e-6, "base": [[1], [2]], "plus": [[1.5]]}


def test_a_record_with_a_test_program_becomes_a_problem_graded_by_it(folder: Path) -> None:
    write(folder / "MbppPlus-OriginFmt.jsonl.gz", MBPP_PROGRAM_RECORD)
    (one,) = load_benchmark("mbpp_plus", accept_changed=True)
    assert (one.problem_id, one.entry_point, one.grader) == ("Mbpp/7", "double", "program")
    assert one.prompt == '"""\nWrite a function to double a number.\nassert sorted([double(2)]) == [4]\n"""\n'
    assert "def check(" in one.test


@pytest.mark.parametrize(
    "changes",
    [
        {"test_list": []},
        {"test_list": ["assert True"]},
        {"test_list": [["double(2)"]]},
        {"code": "def ("},
        {"code": "x\0"},
        {"code": "(" * 100_000},
        {"prompt": None},
    ],
    ids=["no test", "no call", "a list", "no Python", "nul", "deep", "no prompt"],
)
def test_a_program_record_that_does_not_fit_is_refused(folder: Path, changes: dict[str, object]) -> None:
    write(folder / "MbppPlus-OriginFmt.jsonl.gz", MBPP_PROGRAM_RECORD | changes)
    with pytest.raises(SourceError, match=r"MbppPlus-OriginFmt\.jsonl\.gz"):
        load_benchmark("mbpp_plus", accept_changed=True)


@pytest.mark.parametrize("field", ["base_input", "plus_input", "atol", "entry_point", "prompt", "canonical_solution", "task_id"])
def test_a_missing_field_is_named_with_its_problem(folder: Path, field: str) -> None:
    # `plus_input` in the first record tells the format
    broken = {key: value for key, value in HUMANEVAL_RECORD.items() if key != field}
    write(folder / "HumanEvalPlus.jsonl.gz", HUMANEVAL_RECORD | {"task_id": "HumanEval/6"}, broken)
    with pytest.raises(SourceError, match=rf"HumanEvalPlus\.jsonl\.gz: problem .*: field {field}: found None"):
        load_benchmark("humaneval_plus", accept_changed=True)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_record_without_inputs_does_not_change_the_format_of_the_others(folder: Path, place: int) -> None:
    records = [HUMANEVAL_RECORD | {"task_id": f"HumanEval/{number}"} for number in range(3)]
    records[place] = {key: value for key, value in records[place].items() if not key.endswith("_input")} | {"test": "def check(f): pass\n"}
    write(folder / "HumanEvalPlus.jsonl.gz", *records)
    with pytest.raises(SourceError, match=f"problem 'HumanEval/{place}': field base_input: found None; allowed: a list"):
        load_benchmark("humaneval_plus", accept_changed=True)


@pytest.mark.parametrize("atol", [float("nan"), float("inf"), -1, -1e-9, 10**400, 2, True, "0", None])
def test_a_tolerance_that_is_none_is_refused(folder: Path, atol: object) -> None:
    write(folder / "HumanEvalPlus.jsonl.gz", HUMANEVAL_RECORD | {"atol": atol})
    with pytest.raises(SourceError, match=r"problem 'HumanEval/7': field atol: found .*; allowed: a number from 0 to 1\.0"):
        load_benchmark("humaneval_plus", accept_changed=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task_id": "Mbpp/x"}, "problem 'Mbpp/x': field task_id: allowed: Mbpp/ and a number"),
        ({"task_id": "Mbpp/2", "base_input": [[1, 2]]}, "problem 'Mbpp/2': field base_input: found inputs of other shapes"),
        (
            {"task_id": "Mbpp/722", "base_input": [[{}]], "plus_input": [[[]]]},
            "problem 'Mbpp/722': field plus_input: found inputs of other shapes",
        ),
        (
            {"task_id": "Mbpp/124", "base_input": [[10**400, 1]]},
            r"problem 'Mbpp/124': field base_input: found inputs of other shapes \(OverflowError: .*; fetch the file again",
        ),
    ],
)
def test_inputs_whose_types_cannot_be_restored_are_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    write(folder / "MbppPlus.jsonl.gz", HUMANEVAL_RECORD | {"task_id": "Mbpp/7"} | changes)
    with pytest.raises(SourceError, match=message):
        load_benchmark("mbpp_plus", accept_changed=True)


@pytest.mark.parametrize("depth", [300, *range(900, 1000, 10), 100_000])
def test_inputs_of_any_depth_are_read_or_refused(folder: Path, depth: int) -> None:
    text = json.dumps(HUMANEVAL_RECORD).replace("[[1.5]]", "[" * depth + "]" * depth)
    (folder / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    try:
        told = f"{len(load_benchmark('humaneval_plus', accept_changed=True))} problem"
    except SourceError as error:
        told = str(error)
    assert re.search("1 problem|nested too deeply|is not gzipped JSON lines: maximum recursion depth", told)


def test_a_problem_that_occurs_twice_is_refused(folder: Path) -> None:
    write(folder / "HumanEvalPlus.jsonl.gz", HUMANEVAL_RECORD, HUMANEVAL_RECORD)
    with pytest.raises(SourceError, match="problem HumanEval/7 occurs twice"):
        load_benchmark("humaneval_plus", accept_changed=True)


def test_another_hash_than_the_published_is_refused_unless_accepted(folder: Path) -> None:
    write(folder / "HumanEvalPlus.jsonl.gz", HUMANEVAL_RECORD)
    with pytest.raises(SourceError, match=r"has changed: found sha256 [0-9a-f]{64}.*accept humaneval_plus by name"):
        load_benchmark("humaneval_plus")
    assert len(load_benchmark("humaneval_plus", accept_changed=True)) == 1


@published("HumanEvalPlus.jsonl.gz")
def test_humaneval_plus_as_published() -> None:
    problems = load_benchmark("humaneval_plus")
    assert [one.problem_id for one in problems] == [f"HumanEval/{number}" for number in range(164)]
    assert sum(len(json.loads(one.inputs)["base"]) for one in problems) == 1570
    assert sum(len(json.loads(one.inputs)["plus"]) for one in problems) == 122_683


@published("MbppPlus.jsonl.gz")
def test_mbpp_plus_as_published() -> None:
    problems = load_benchmark("mbpp_plus")
    assert len(problems) == 378
    assert all(one.entry_point in one.prompt for one in problems)
    without = [one.problem_id for one in problems if not json.loads(one.inputs)["plus"]]
    assert without == ["Mbpp/793"]


@published("MbppPlus-OriginFmt.jsonl.gz")
@published("MbppPlus.jsonl.gz")
def test_both_formats_ask_for_the_same_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {one.problem_id: one.entry_point for one in load_benchmark("mbpp_plus")}
    name = "MbppPlus-OriginFmt.jsonl.gz"
    (tmp_path / name).symlink_to(Path(os.environ[FOLDER_VARIABLE]) / name)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert {one.problem_id: one.entry_point for one in load_benchmark("mbpp_plus")} == ours


def test_every_benchmark_of_the_paper_is_known() -> None:
    assert {"humaneval", "humaneval_plus", "mbpp_plus", "evoeval_difficult", "evoeval_tool_use", "bigcodebench"} <= set(BENCHMARKS)

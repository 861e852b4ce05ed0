"""Samples of a file or folder are read as people have them; what is no sample is named with its line."""

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError, SourceError
from snowcoder.evaluation.grading.samples import problems_without_sample, read_samples
from tests.evaluation.grading.made_up_benchmark import RIGHT, write_benchmark, write_lines


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return write_benchmark(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON.*`jq -c .` makes one line of an object"),
        ('["HumanEval/0"]', "line 2: found a JSON array of texts, .* allowed: one object a line, with its task_id"),
        ('[["def f(): pass"], ["x"]]', "line 2: found a JSON array of arrays, which do not say whose solutions they are"),
        ('[{"task_id": "HumanEval/0", "solution": "x"}]', "line 2: found a JSON array; allowed: one object a line, .*jq -c '.\\[\\]'"),
        ("[", "line 2: found a JSON array; allowed: one object a line, .*jq -c"),
        ('"x"', "line 2: found a JSON text"),
        ('{"solution": "x"}', r"line 2: field task_id: missing \(fields found: solution\); allowed: JSON lines with task_id and solution"),
        ('{"doc": {}, "resps": [["x"]]}', r"a row of lm-evaluation-harness: `jq -c '.doc.task_id .*' SAMPLES`"),
        ('{"eval": {}, "hash": "x"}', "EvalPlus"),
        (
            '{"task_id": null, "solution": "x"}',
            "line 2: field task_id: found None; allowed: the id of one of the 3 problems of humaneval_plus",
        ),
        ('{"task_id": "HumanEval/9", "solution": "x"}', "field task_id: found 'HumanEval/9'; .* such as 'HumanEval/0'$"),
        ('{"task_id": 2, "solution": "x"}', r"field task_id: found 2; .*; write 'HumanEval/2'\?"),
        ('{"task_id": "humaneval_1", "solution": "x"}', r"found 'humaneval_1'; .*; write 'HumanEval/1'\?"),
        ('{"task_id": "1", "solution": "x"}', r"found '1'; .*; write 'HumanEval/1'\?"),
        ('{"task_id": ["HumanEval/1"], "solution": "x"}', r"field task_id: found \['HumanEval/1'\]"),
        ('{"task_id": "HumanEval/1", "solution": ["x"]}', r"line 2: field solution: .* \(fields found: solution: array, task_id: text\)"),
        ('{"task_id": "HumanEval/1", "solution": null, "output": "x"}', r"fields found: output: text, solution: null, task_id: text"),
        ('{"task_id": "HumanEval/1"}', "line 2: field solution"),
        (
            '{"task_id": "HumanEval/1", "solution": "x", "completion": "y"}',
            "line 2: field completion: found text next to one in solution; allowed: one of them",
        ),
        pytest.param('{"task_id": ' + "[" * 100_000, "line 2: not JSON: maximum recursion depth", id="deep task_id"),
        pytest.param("[" * 100_000, "line 2: found a JSON array", id="deep"),
        *(
            pytest.param('{"task_id": ' + "[" * depth + "]" * depth + "}", "line 2: ", id=f"depth {depth}")
            for depth in range(600, 1000, 20)
        ),
    ],
)
def test_a_line_that_is_no_sample_is_named(problems: list[Problem], tmp_path: Path, line: str, message: str) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": "x"}, line)
    with pytest.raises(SourceError, match=message):
        read_samples(path, problems)


def test_a_device_and_what_is_no_program_are_no_samples(problems: list[Problem], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="/dev/zero: found a device; allowed: JSON lines"):
        read_samples(Path("/dev/zero"), problems)
    (tmp_path / "folder" / "HumanEval_0").mkdir(parents=True)
    os.mkfifo(tmp_path / "folder" / "HumanEval_0" / "0.py")
    with pytest.raises(SourceError, match=r"HumanEval_0/0\.py: found no regular file; allowed: a program"):
        read_samples(tmp_path / "folder", problems)


def test_a_file_without_samples_and_none_at_all_are_told_apart(problems: list[Problem], tmp_path: Path) -> None:
    with pytest.raises(EmptyResultError, match="no sample"):
        read_samples(write_lines(tmp_path / "empty.jsonl"), problems)
    with pytest.raises(SourceError, match=r"gone\.jsonl: samples cannot be read"):
        read_samples(tmp_path / "gone.jsonl", problems)
    assert problems_without_sample([], problems) == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]


@pytest.mark.parametrize("name", ["gzip", "zstd", "plain", "marked", "windows"])
def test_files_as_people_have_them(problems: list[Problem], tmp_path: Path, name: str) -> None:
    rows = [
        {"task_id": "HumanEval/0", "completion": "    return numbers[-1]\n", "_identifier": "HumanEval/0/0", "finish_reason": "stop"},
        {"task_id": "HumanEval/1", "solution": RIGHT, "completion": None, "raw": ["x"]},
    ]
    content = write_lines(tmp_path / "rows.jsonl", *rows).read_bytes()
    path = tmp_path / "samples.jsonl"
    if name == "gzip":
        path.write_bytes(gzip.compress(content[:40]) + gzip.compress(content[40:]))
    elif name == "zstd":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(content)
    else:
        path.write_bytes({"plain": content, "marked": b"\xef\xbb\xbf" + content, "windows": content.replace(b"\n", b"\r\n")}[name])
    samples = read_samples(path, problems)
    assert [(sample.problem.problem_id, sample.solution) for sample in samples] == [
        ("HumanEval/0", "def last(numbers):\n    return numbers[-1]\n"),
        ("HumanEval/1", RIGHT),
    ]


def test_a_file_that_is_cut_off_or_of_another_kind_is_named(problems: list[Problem], tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"task_id": "HumanEval/0", "solution": "x"}\n')[:-10])
    with pytest.raises(SourceError, match=r"samples\.jsonl\.gz: .*(cannot be read|not JSON)"):
        read_samples(path, problems)
    path.write_bytes('{"task_id": "HumanEval/0", "solution": "x"}\n'.encode("utf-16"))
    with pytest.raises(SourceError, match="found text in UTF-16; allowed: UTF-8"):
        read_samples(path, problems)
    path.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(SourceError, match=r"line 1: not JSON: .*allowed: JSON lines with task_id and solution"):
        read_samples(path, problems)


def test_a_folder_as_evalplus_has_it(problems: list[Problem], tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    for place, text in {"HumanEval_0/10.py": "c", "HumanEval_0/2.py": "b", "HumanEval_0/0.py": "a", "HumanEval_1/0.py": RIGHT}.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    (folder / "HumanEval_1" / "notes.txt").write_text("x")
    samples = read_samples(folder, problems)
    assert [(sample.problem.problem_id, sample.index, sample.solution) for sample in samples] == [
        ("HumanEval/0", 0, "a"),
        ("HumanEval/0", 1, "b"),
        ("HumanEval/0", 2, "c"),
        ("HumanEval/1", 0, RIGHT),
    ]
    (folder / "Mbpp_2").mkdir()
    with pytest.raises(SourceError, match="Mbpp_2: allowed: a folder for each problem, such as HumanEval_0"):
        read_samples(folder, problems)

"""EvoEval's published schema, in files made for the tests."""

import json
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.errors import SourceError

RECORD = {
    "task_id": "EvoEval/3",
    "prompt": "def f(x):\n    '''x'''",
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "inputs": ["1", "{'a': (1, 2)}"],
    "contract": "",
    "parent": "HumanEval/3",
}


def write(folder: Path, **changes: object) -> None:
    (folder / "EvoEval_subtle.jsonl").write_text(json.dumps(RECORD | changes) + "\n")


def test_a_record_becomes_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    write(tmp_path)
    [one] = load_benchmark("evoeval_subtle")
    assert (one.benchmark, one.problem_id, one.grader) == ("evoeval_subtle", "subtle/EvoEval/3", "evoeval")
    assert one.prompt + one.canonical_solution == "def f(x):\n    '''x'''\n    return x\n"
    assert json.loads(one.inputs) == {"part": "subtle", "base": ["1", "{'a': (1, 2)}"]}


@pytest.mark.parametrize("inputs", [[], [1], None])
def test_inputs_are_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: object) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    write(tmp_path, inputs=inputs)
    with pytest.raises(SourceError, match=r"EvoEval_subtle\.jsonl: problem 'EvoEval/3': field inputs"):
        load_benchmark("evoeval_subtle")

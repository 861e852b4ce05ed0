import ast
import gzip
import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from snowcoder.benchmarks.evalplus import FOLDER_VARIABLE, HUMANEVAL_PLUS_FILE, MBPP_PLUS_FILE, load_humaneval_plus, load_mbpp_plus
from snowcoder.errors import SourceError

HUMANEVAL_PLUS_SHA256 = "daa7661c8189924068069b0872a440b491edb60f8bdf431d5957adc88d18bae5"
MBPP_PLUS_SHA256 = "7a5aec547b134fa297ee6c45f829298aa3f58de02547b8d8a5c3d85d9cb10efc"


def published(name: str) -> bool:
    return (Path(os.environ.get(FOLDER_VARIABLE, "/nonexistent")) / name).is_file()


def mbpp_file(folder, **changes) -> str:
    """A file of one made-up problem in MBPP+'s format; its sha256."""
    record = {
        "task_id": 7,
        "code": "def helper(x):\n    return x\n\ndef double(x):\n    return 2 * helper(x)\n",
        "prompt": "Write a function to double a number.",
        "test_list": ["assert sorted([double(2)]) == [4]", "assert double(3) == 6"],
        "test": "assert double(5) == 10\n",
    }
    packed = gzip.compress((json.dumps(record | changes) + "\n").encode())
    (folder / MBPP_PLUS_FILE).write_bytes(packed)
    return hashlib.sha256(packed).hexdigest()


def test_an_mbpp_record_becomes_a_problem(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (one,) = load_mbpp_plus(mbpp_file(tmp_path))
    assert (one.benchmark, one.problem_id, one.entry_point) == ("mbpp_plus", "Mbpp/7", "double")
    assert one.prompt == '"""\nWrite a function to double a number.\nassert sorted([double(2)]) == [4]\n"""\n'
    assert "check" in {node.name for node in ast.parse(one.test).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("changes", [{"test_list": []}, {"test_list": ["assert True"]}, {"code": "def ("}, {"prompt": None}])
def test_a_record_that_does_not_fit_is_refused(tmp_path, monkeypatch, changes):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(SourceError, match=MBPP_PLUS_FILE):
        load_mbpp_plus(mbpp_file(tmp_path, **changes))


def test_an_unset_folder_and_a_missing_file_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(SourceError, match=f"{FOLDER_VARIABLE} is not set"):
        load_humaneval_plus(HUMANEVAL_PLUS_SHA256)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(SourceError, match=r"HumanEvalPlus-OriginFmt\.jsonl\.gz: benchmark humaneval_plus is not there"):
        load_humaneval_plus(HUMANEVAL_PLUS_SHA256)


@pytest.mark.skipif(not published(HUMANEVAL_PLUS_FILE), reason=f"{HUMANEVAL_PLUS_FILE} is not in ${FOLDER_VARIABLE}")
def test_humaneval_plus_as_published():
    problems = load_humaneval_plus(HUMANEVAL_PLUS_SHA256)
    assert len(problems) == 164
    assert all("def check(" in one.test for one in problems)


@pytest.mark.skipif(not published(MBPP_PLUS_FILE), reason=f"{MBPP_PLUS_FILE} is not in ${FOLDER_VARIABLE}")
def test_mbpp_plus_as_published():
    problems = load_mbpp_plus(MBPP_PLUS_SHA256)
    assert len(problems) == 378
    assert all(re.search(rf"\b{one.entry_point}\s*\(", one.prompt) for one in problems)

"""Fingerprints change with whatever can change a result, and with nothing else."""

from pathlib import Path

import pytest

from snowcoder.errors import ShardError
from snowcoder.pipeline.fingerprint import REPOSITORY_ROOT, fingerprint, hash_path, import_closure

SCRIPT = REPOSITORY_ROOT / "stages" / "split_files.py"


def test_params_inputs_and_code_change_it(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("a")
    first = fingerprint({"x": 1, "y": 2}, [source], SCRIPT)
    assert fingerprint({"y": 2, "x": 1}, [source], SCRIPT) == first
    assert fingerprint({"x": 2, "y": 2}, [source], SCRIPT) != first
    assert fingerprint({"x": 1, "y": 2}, [source], REPOSITORY_ROOT / "stages" / "filter_files.py") != first
    source.write_text("b")
    assert fingerprint({"x": 1, "y": 2}, [source], SCRIPT) != first


def test_folders_hash_by_content_and_relative_path(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("same")
    assert hash_path(tmp_path / "one") == hash_path(tmp_path / "two")
    (tmp_path / "two" / "a").rename(tmp_path / "two" / "b")
    assert hash_path(tmp_path / "one") != hash_path(tmp_path / "two")
    with pytest.raises(ShardError, match="not found"):
        hash_path(tmp_path / "three")


def test_closure_follows_imports_and_leaves_observers_out() -> None:
    names = {path.name for path in import_closure(REPOSITORY_ROOT / "stages" / "pretrain.py")}
    assert {"pretrain.py", "loop.py", "schedule.py", "token_shards.py", "errors.py"} <= names
    assert names.isdisjoint({"tracking.py", "console.py", "validation.py"})

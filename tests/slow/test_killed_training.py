"""A training process killed (-9) at random moments, stopped by SIGTERM, orphaned: the final weights are always the same."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
SCRIPT = """
import hashlib, os, sys
from pathlib import Path
import numpy as np
from snowcoder.pretraining import loop
from snowcoder.pretraining.model import initialize
from tests.pretraining.test_loop import MODEL, SHARED, PHASE, CountingData
os.environ["SNOWCODER_CHECKPOINT_INTERVAL_S"] = "0"
model = initialize(MODEL)
phase = PHASE.model_copy(update={"tokens": PHASE.batch_tokens * 600})
curve = loop.train(model, CountingData(), SHARED, phase, Path(sys.argv[1]))
digest = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters()))
digest.update(repr(curve).encode())
print(digest.hexdigest())
"""


def start(state: Path, root: Path, **environment: str) -> "subprocess.Popen[str]":
    variables = os.environ | {"PYTHONPATH": f"{root / 'src'}:{root}"} | environment
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(state)], env=variables, stdout=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return said.strip()


def wait_for_checkpoint(state: Path, step: int = 1) -> int:
    """Until a checkpoint of at least this step is there; returns its step."""
    deadline = time.monotonic() + 120
    while (found := newest_step(state)) < step:
        assert time.monotonic() < deadline, f"{state}: no checkpoint of step {step}"
        time.sleep(0.002)
    return found


def newest_step(state: Path) -> int:
    return max((int(path.name.split("-")[1]) for path in state.glob("step-*.pt")), default=0)


def test_killed_ten_times_at_random_moments(tmp_path: Path, repository_root: Path) -> None:
    whole = finish(start(tmp_path / "whole", repository_root))
    assert finish(start(tmp_path / "again", repository_root)) == whole
    draws, step = random.Random(5), 0
    for _ in range(10):
        process = start(tmp_path / "killed", repository_root)
        step = wait_for_checkpoint(tmp_path / "killed", step + draws.randint(1, 20))
        time.sleep(draws.uniform(0.0, 0.02))  # at any moment of a step or a write
        assert process.poll() is None, "the run has ended: make it longer"
        process.kill()
        process.wait()
    assert finish(start(tmp_path / "killed", repository_root)) == whole


def test_sigterm_leaves_with_a_checkpoint_of_the_last_step(tmp_path: Path, repository_root: Path) -> None:
    process = start(tmp_path, repository_root)
    wait_for_checkpoint(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    newest = max(tmp_path.glob("step-*.pt"))
    assert newest.stem.endswith(hashlib.sha256(newest.read_bytes()).hexdigest()[:16])
    assert not list(tmp_path.glob(".step-*"))


def test_an_orphan_of_dvc_leaves(tmp_path: Path, repository_root: Path) -> None:
    parent = "import subprocess, sys\nchild = subprocess.Popen(sys.argv[1:])\nprint(child.pid, flush=True)\nchild.wait()"
    variables = os.environ | {"PYTHONPATH": f"{repository_root / 'src'}:{repository_root}", "DVC_ROOT": str(repository_root)}
    command = [sys.executable, "-c", parent, sys.executable, "-c", SCRIPT.replace("* 600", "* 100000"), str(tmp_path)]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        wait_for_checkpoint(tmp_path)
        process.kill()
    deadline = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < deadline, "the orphan keeps running"
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

"""A process of train_branches killed (-9) at random moments: the results are the same bytes."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snowcoder.pipeline.fingerprint import hash_path

pytestmark = pytest.mark.slow
SCRIPT = """
import os, sys
from pathlib import Path
from snowcoder.experiment.branches import plan_branches
from tests.experiment.small_experiment import PARAMS, open_experiment
os.environ["SNOWCODER_CHECKPOINT_INTERVAL_S"] = "0"
world, out, state = map(Path, sys.argv[1:])
open_experiment(world).run(plan_branches(PARAMS), out, state, lambda *_: None)
"""


def start(world: Path, out: Path, root: Path) -> "subprocess.Popen[bytes]":
    variables = os.environ | {"PYTHONPATH": f"{root / 'src'}:{root}"}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(world), str(out), str(out.with_name(f"{out.name}-state"))], env=variables)


def progress(out: Path) -> int:
    """Finished branches and checkpoints of the one at work: whatever tells that there is something to lose."""
    while True:
        try:
            return len(list(out.glob("part-*.parquet"))) + len(list(out.with_name(f"{out.name}-state").rglob("step-*.pt")))
        except FileNotFoundError:  # the folder of a branch that has just finished went while it was listed
            pass


def test_killed_at_random_moments(tmp_path: Path, repository_root: Path) -> None:
    world, whole, killed = tmp_path / "world", tmp_path / "whole", tmp_path / "killed"
    assert start(world, whole, repository_root).wait() == 0
    draws = random.Random(3)
    for kills in range(6):
        process = start(world, killed, repository_root)
        before, deadline = progress(killed), time.monotonic() + 120
        while process.poll() is None and progress(killed) <= before:
            assert time.monotonic() < deadline, "nothing happens"
            time.sleep(0.002)
        time.sleep(draws.uniform(0.0, 0.1))
        if process.poll() is not None:
            assert kills >= 3, "the run has ended: make it longer"
            break
        process.kill()
        process.wait()
    assert start(world, killed, repository_root).wait() == 0
    assert hash_path(killed) == hash_path(whole)

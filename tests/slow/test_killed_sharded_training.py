"""A sharded training with one process killed (-9) at random moments: the others end, and the next start loses nothing."""

import os
import random
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snowcoder.errors import TrainingError
from tests.pretraining.gloo_processes import run_together, train_once

pytestmark = pytest.mark.slow
SHARDED = {"SNOWCODER_SHARDING": "full"}
N_STEPS = 150


def newest_step(state_folder: Path) -> int:
    return max((int(path.name.split("-")[1]) for path in state_folder.glob("step-*")), default=0)


def train_and_die(state_folder: Path, rank: int, step: int, delay_s: float) -> dict[str, Any]:
    """Train, and kill the process `rank` so long after the checkpoint of `step` is there."""

    def die() -> None:
        while newest_step(state_folder) < step:
            time.sleep(0.002)
        time.sleep(delay_s)
        os.kill(os.getpid(), signal.SIGKILL)

    if int(os.environ["RANK"]) == rank:
        threading.Thread(target=die, daemon=True).start()
    return train_once(state_folder, N_STEPS, None, 0.0)


def test_killed_six_times_equals_uninterrupted_bit_for_bit(tmp_path: Path) -> None:
    whole = run_together(2, train_once, tmp_path / "whole", N_STEPS, None, 0.0, environment=SHARDED)
    draws = random.Random(7)
    for number in range(6):
        step = newest_step(tmp_path / "killed") + draws.randint(1, 15)
        with pytest.raises((BrokenProcessPool, TrainingError), match=r"terminated abruptly|another process or its device was lost"):
            run_together(2, train_and_die, tmp_path / "killed", number % 2, step, draws.uniform(0.0, 0.02), environment=SHARDED)
        assert newest_step(tmp_path / "killed") >= step
    for found, expected in zip(
        run_together(2, train_once, tmp_path / "killed", N_STEPS, None, 0.0, environment=SHARDED), whole, strict=True
    ):
        assert found["losses"] == expected["losses"]
        for name, weight in expected["weights"].items():
            np.testing.assert_array_equal(found["weights"][name], weight, err_msg=name)

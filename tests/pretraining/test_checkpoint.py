"""Checkpoints: written behind training's back, checked when read, and never the end of a run."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from snowcoder.pretraining.checkpoint import CheckpointWriter, load_state


def save(folder: Path, *steps: int) -> None:
    with CheckpointWriter(folder) as checkpoints:
        for step in steps:
            checkpoints.save(step, {"weights": torch.full((50,), float(step))})


def test_what_is_written_is_the_state_when_it_was_saved(tmp_path: Path) -> None:
    weights = torch.zeros(2_000_000)
    with CheckpointWriter(tmp_path) as checkpoints:
        checkpoints.save(1, {"weights": weights, "nested": [{"moment": weights}]})
        weights += 1  # the next step
    state = load_state(tmp_path)
    assert state is not None
    assert state["step"] == 1
    assert not state["weights"].any()
    assert not state["nested"][0]["moment"].any()


def test_the_two_newest_are_kept(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, 30)
    assert [path.name[:14] for path in sorted(tmp_path.iterdir())] == ["step-000000002", "step-000000030"]


@pytest.mark.parametrize("fault", ["torn", "changed", "empty"])
def test_a_spoiled_one_is_told_and_the_one_before_is_taken(tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path, 1, 2)
    newest = max(tmp_path.iterdir())
    content = bytearray(newest.read_bytes())
    if fault == "changed":
        content[len(content) // 2] ^= 1  # a bit of the weights: torch would load it
    newest.write_bytes(content if fault == "changed" else content[: 1000 if fault == "torn" else 0])
    state = load_state(tmp_path)
    assert state is not None
    assert state["step"] == 1
    assert f"{newest}: is torn or was changed" in capsys.readouterr().err


def test_without_one_there_is_no_state(tmp_path: Path) -> None:
    assert load_state(tmp_path / "nowhere") is None


def test_a_write_that_fails_costs_that_checkpoint_alone(tmp_path: Path, repository_root: Path) -> None:
    script = (
        "import resource, sys\nfrom pathlib import Path\nimport torch\n"
        "from snowcoder.pretraining.checkpoint import CheckpointWriter\n"
        "with CheckpointWriter(Path(sys.argv[1])) as checkpoints:\n"
        "    checkpoints.save(1, {'weights': torch.zeros(1000)})\n"
        "    checkpoints._settle()\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        "    checkpoints.save(2, {'weights': torch.zeros(1_000_000)})\n"  # the system refuses the rest of this file
        "    checkpoints._settle()\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "    checkpoints.save(3, {'weights': torch.zeros(1000)})\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    result = subprocess.run(command, env={"PYTHONPATH": str(repository_root / "src")}, capture_output=True, text=True, check=True)
    assert "the checkpoint of step 2 could not be written" in result.stderr
    assert [path.name[:14] for path in sorted(tmp_path.iterdir())] == ["step-000000001", "step-000000003"]

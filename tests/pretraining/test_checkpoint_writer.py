"""Checkpoints, whole and sharded: written in the background, checked when read, and never the end of a run."""

import contextlib
import io
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from snowcoder.errors import CheckpointError
from snowcoder.pretraining.checkpoint_files import read_checkpoint
from snowcoder.pretraining.checkpoint_writer import CheckpointWriter, newest_checkpoint
from snowcoder.pretraining.model import ModelParams, initialize
from tests.pretraining.gloo_processes import SHAPE, run_together, train_once


def save(folder: Path, *steps: int) -> None:
    with CheckpointWriter(folder) as checkpoints:
        for step in steps:
            checkpoints.save(step, {"model": {"weights": torch.full((50,), float(step))}, "optimizer": {}}, [(float(step), 0.5)])


def load(checkpoint: Path | None) -> dict[str, Any]:
    assert checkpoint is not None
    return dict(torch.load(checkpoint, weights_only=True))


def test_what_is_written_is_the_state_when_it_was_saved(tmp_path: Path) -> None:
    weights = torch.zeros(2_000_000)
    with CheckpointWriter(tmp_path) as checkpoints:
        checkpoints.save(1, {"model": {"weights": weights}, "optimizer": {"weights": {"moment": weights}}}, [(1, 2.5)])
        weights += 1  # the next step
    state = load(newest_checkpoint(tmp_path))
    assert state["curve"] == [(1, 2.5)]
    assert not state["model"]["weights"].any()
    assert not state["optimizer"]["weights"]["moment"].any()


def test_the_two_newest_are_kept(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, 30)
    assert [path.name[:14] for path in sorted(tmp_path.iterdir())] == ["step-000000002", "step-000000030"]


def test_what_a_kill_left_and_what_training_went_back_behind_is_removed(tmp_path: Path) -> None:
    save(tmp_path, 5, 9)
    (tmp_path / ".step-000000010.partial").mkdir()
    (tmp_path / ".step-000000010.partial" / "__0_0.distcp").write_bytes(b"half")
    (tmp_path / ".step-000000011.partial").write_bytes(b"half")
    save(tmp_path, 6)  # 9 was torn
    assert [path.name[:14] for path in sorted(tmp_path.iterdir())] == ["step-000000005", "step-000000006"]


@pytest.mark.parametrize("fault", ["torn", "changed", "empty"])
def test_a_spoiled_one_is_told_and_the_one_before_is_taken(tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path, 1, 2)
    newest = max(tmp_path.iterdir())
    content = bytearray(newest.read_bytes())
    if fault == "changed":
        content[len(content) // 2] ^= 1  # a bit of the weights: torch would load it
    newest.write_bytes(content if fault == "changed" else content[: 1000 if fault == "torn" else 0])
    assert load(newest_checkpoint(tmp_path))["curve"] == [(1.0, 0.5)]
    assert f"{newest}: torn or modified" in capsys.readouterr().err


def test_a_spoiled_one_without_another_before_it_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path, 1)
    next(tmp_path.iterdir()).write_bytes(b"torn")
    assert newest_checkpoint(tmp_path) is None
    assert "no earlier checkpoint: starting from the beginning" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["step-x", "step-", "step-000000009", "step-000000009-x.pt", "step-00000000²-0123456789abcdef.pt", "notes"]
)
@pytest.mark.parametrize("is_folder", [False, True])
def test_what_is_no_checkpoint_is_passed_over_and_stays(
    tmp_path: Path, name: str, is_folder: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir() if is_folder else (tmp_path / name).write_bytes(b"of somebody else")
    save(tmp_path, 1, 2, 3)
    assert load(newest_checkpoint(tmp_path))["curve"] == [(3.0, 0.5)]
    said = f"{tmp_path / name}: not the name of a checkpoint (step-<step>-<digest>); passed over"
    assert capsys.readouterr().err.count(said) == name.startswith("step-")
    assert len(list(tmp_path.iterdir())) == 3
    assert (tmp_path / name).exists()


def test_without_one_there_is_no_state(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "nowhere") is None


def test_a_write_that_fails_costs_that_checkpoint_alone(tmp_path: Path, repository_root: Path) -> None:
    script = (
        "import resource, sys\nfrom pathlib import Path\nimport torch\n"
        "from snowcoder.pretraining.checkpoint_writer import CheckpointWriter\n"
        "with CheckpointWriter(Path(sys.argv[1])) as checkpoints:\n"
        "    checkpoints.save(1, {'model': torch.zeros(1000)}, [])\n"
        "    checkpoints._settle()\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        "    checkpoints.save(2, {'model': torch.zeros(1_000_000)}, [])\n"  # the system refuses the rest of this file
        "    checkpoints._settle()\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "    checkpoints.save(3, {'model': torch.zeros(1000)}, [])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    result = subprocess.run(command, env={"PYTHONPATH": str(repository_root / "src")}, capture_output=True, text=True, check=True)
    assert "the checkpoint of step 2 could not be written" in result.stderr
    assert [path.name[:14] for path in sorted(tmp_path.iterdir())] == ["step-000000001", "step-000000003"]


FULL = {"SNOWCODER_SHARDING": "full"}


@pytest.fixture(scope="module")
def two_sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of steps 2 and 3, written by two processes."""
    folder = tmp_path_factory.mktemp("sharded")
    run_together(2, train_once, folder, 3, None, 0.0, environment=FULL)
    return folder


def test_each_process_writes_its_shards_and_nothing_half_written_is_left(two_sharded: Path) -> None:
    assert [path.name[:14] for path in sorted(two_sharded.iterdir())] == ["step-000000002", "step-000000003"]
    for folder in two_sharded.iterdir():
        assert sorted(path.name for path in folder.iterdir()) == [".metadata", "__0_0.distcp", "__1_0.distcp", "curve.json", "digests.json"]
        sizes = [(folder / f"__{rank}_0.distcp").stat().st_size for rank in range(2)]
        assert max(sizes) < 1.5 * min(sizes)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "changed shard": (lambda folder: _flip(folder / "__1_0.distcp"), "__1_0.distcp: its SHA-256 is not the one in digests.json"),
    "torn shard": (lambda folder: (folder / "__0_0.distcp").write_bytes(b"short"), "__0_0.distcp: its SHA-256"),
    "missing shard": (lambda folder: (folder / "__0_0.distcp").unlink(), "__0_0.distcp is missing"),
    "changed digests": (lambda folder: _flip(folder / "digests.json"), "digests.json: its SHA-256 starts with"),
    "no digests": (lambda folder: (folder / "digests.json").unlink(), "it has no digests.json"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoiled_folder_is_told_and_the_one_before_is_taken(
    two_sharded: Path, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(two_sharded, tmp_path / "state")
    spoil, message = FAULTS[fault]
    newest = max((tmp_path / "state").iterdir())
    spoil(newest)
    found = newest_checkpoint(tmp_path / "state")
    assert found is not None
    assert found.name.startswith("step-000000002-")
    assert f"{newest}: torn or modified ({message}" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"ffn_size": 64}, {"layers": 3}, {"layers": 1}])
def test_shards_of_another_shape_are_refused(two_sharded: Path, change: dict[str, int]) -> None:
    model = initialize(ModelParams.model_validate(SHAPE.model_dump() | change))
    checkpoint = newest_checkpoint(two_sharded)
    assert checkpoint is not None
    with pytest.raises(CheckpointError, match=r"step-000000003-.*the checkpoint is from another model: model\.layers.* remove the folder"):
        read_checkpoint(checkpoint, model, torch.optim.AdamW(model.parameters()))


def test_a_full_disk_of_one_process_costs_that_checkpoint_alone(tmp_path: Path) -> None:
    said = run_together(2, save_with_a_full_disk, tmp_path, environment=FULL)
    assert [path.name[:14] for path in sorted(tmp_path.iterdir())] == ["step-000000001", "step-000000003"]
    assert "the checkpoint of step 2 could not be written (process 1: " in said[0]
    assert not said[1]  # once for all


def save_with_a_full_disk(folder: Path) -> str:
    """Save three states of a sharded model; the second does not fit the disk of process 1. Returns what was said."""
    import torch.distributed as dist

    from snowcoder.pretraining.checkpoint_files import training_state
    from snowcoder.pretraining.data_parallel import distribute
    from snowcoder.pretraining.objective import Objective

    model = initialize(SHAPE)
    objective = Objective(model, bf16=False, compile_layers=False, checkpoint_activations=False)
    distribute(objective, model.model.layers, "full", torch.device("cpu"))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    _, unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    with contextlib.redirect_stderr(io.StringIO()) as said, CheckpointWriter(folder, sharded=True) as checkpoints:
        for step in (1, 2, 3):
            if step == 2 and dist.get_rank() == 1:  # the system refuses the rest of a file
                resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, unlimited))
            checkpoints.save(step, training_state(model, optimizer), [])
            checkpoints._settle()
            resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
    return said.getvalue()

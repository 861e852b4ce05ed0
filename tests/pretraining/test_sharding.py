"""Sharded training by real processes over gloo: really sharded, equal losses and weights, checkpoints for any number of processes."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributed.tensor import DTensor

from snowcoder.errors import ParameterError
from snowcoder.pipeline import environment
from snowcoder.pretraining.data_parallel import distribute, release_whole_weights
from snowcoder.pretraining.model import initialize
from snowcoder.pretraining.objective import Objective
from snowcoder.pretraining.processes import own_device
from tests.pretraining.gloo_processes import SHAPE, load_newest, run_together, train_once

FULL, HYBRID = {"SNOWCODER_SHARDING": "full"}, {"SNOWCODER_SHARDING": "hybrid"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One process, nothing sharded."""
    [found] = run_together(1, train_once, tmp_path_factory.mktemp("alone"))
    return dict(found)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Four processes that share one copy of the model, and the folder of their checkpoints, one after every step."""
    folder = tmp_path_factory.mktemp("four")
    return folder, run_together(4, train_once, folder, 6, None, 0.0, environment=FULL)


def assert_same_training(together: list[dict[str, Any]], alone: dict[str, Any]) -> None:
    assert [found["world"] for found in together] == [len(together)] * len(together)
    asked = np.array([found["asked"] for found in together]).T.ravel()  # turn by turn, as the shares were dealt
    assert asked.tolist() == alone["asked"]
    for found in together:
        np.testing.assert_allclose(found["losses"], alone["losses"], rtol=1e-5)
        assert_close(found["weights"], alone["weights"])


def assert_close(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """By the norm: Adam divides by a gradient's size, so that rounding shows in single weights whose gradients are next to nothing."""
    assert found.keys() == expected.keys()
    for name in found:
        assert np.linalg.norm(found[name] - expected[name]) <= 1e-5 * np.linalg.norm(expected[name]), name


def assert_equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def assert_shared_out(together: list[dict[str, Any]], copies: int, placements: str) -> None:
    """Every parameter is a DTensor, and its local parts are together `copies` times the whole, none of them the whole itself."""
    for name, (shape, *_) in together[0]["parts"].items():
        held = [found["parts"][name] for found in together]
        assert all(is_sharded and found_placements == placements for _, is_sharded, found_placements, _ in held), (name, held)
        rows = [local[0] for _, _, _, local in held]
        assert sum(rows) == copies * shape[0], name
        assert max(rows) == -(-shape[0] * copies // len(together)), name


def test_two_processes_share_one_copy_and_train_as_one(tmp_path: Path, alone: dict[str, Any]) -> None:
    together = run_together(2, train_once, tmp_path, environment=FULL)
    assert_shared_out(together, copies=1, placements="(Shard(dim=0),)")
    assert_same_training(together, alone)


def test_four_processes_share_one_copy_and_train_as_one(four: tuple[Path, list[dict[str, Any]]], alone: dict[str, Any]) -> None:
    _, together = four
    assert_shared_out(together, copies=1, placements="(Shard(dim=0),)")
    assert_same_training(together, alone)


def test_two_nodes_of_two_hold_one_copy_each_and_train_as_one(tmp_path: Path, alone: dict[str, Any]) -> None:
    together = run_together(4, train_once, tmp_path, environment=HYBRID, per_node=2)
    assert_shared_out(together, copies=2, placements="(Replicate(), Shard(dim=0))")
    assert_same_training(together, alone)


@pytest.mark.parametrize("n_processes", [2, 4])
def test_replicas_are_not_sharded_and_train_as_one(tmp_path: Path, alone: dict[str, Any], n_processes: int) -> None:
    together = run_together(n_processes, train_once, tmp_path)
    assert not any(part[1] for found in together for part in found["parts"].values())
    assert_same_training(together, alone)


def test_one_process_has_nothing_to_share(tmp_path: Path, alone: dict[str, Any]) -> None:
    [found] = run_together(1, train_once, tmp_path, environment=FULL)
    assert not any(part[1] for part in found["parts"].values())
    assert found["losses"] == alone["losses"]
    assert_equal(found["weights"], alone["weights"])


@pytest.mark.parametrize(("n_processes", "sharding"), [(1, "none"), (2, "full"), (2, "none"), (4, "hybrid")])
def test_a_checkpoint_of_four_loads_at_any_number(four: tuple[Path, list[dict[str, Any]]], n_processes: int, sharding: str) -> None:
    folder, saved = four
    for loaded in run_together(n_processes, load_newest, folder, sharding, per_node=2 if sharding == "hybrid" else None):
        assert loaded["name"].startswith("step-000000006-")
        assert loaded["losses"] == saved[0]["losses"]
        assert_equal(loaded["weights"], saved[0]["weights"])
        assert_equal(loaded["moments"], saved[0]["moments"])


@pytest.mark.parametrize(("n_processes", "sharding"), [(1, "none"), (2, "full"), (4, "hybrid")])
def test_a_checkpoint_of_one_process_loads_at_any_number(tmp_path: Path, n_processes: int, sharding: str) -> None:
    [saved] = run_together(1, train_once, tmp_path, 3, None, 0.0)
    for loaded in run_together(n_processes, load_newest, tmp_path, sharding, per_node=2 if sharding == "hybrid" else None):
        assert loaded["name"].endswith(".pt")
        assert_equal(loaded["weights"], saved["weights"])
        assert_equal(loaded["moments"], saved["moments"])


def test_two_go_on_where_four_stopped(tmp_path: Path, alone: dict[str, Any]) -> None:
    stopped = run_together(4, train_once, tmp_path, 6, 3, 0.0, environment=FULL)  # one micro-batch a step
    assert [found["world"] for found in stopped] == [4] * 4
    assert all(len(found) == 1 for found in stopped)
    together = run_together(2, train_once, tmp_path, environment=FULL)
    assert len(together[0]["asked"]) == 3 * 4
    for found in together:
        np.testing.assert_allclose(found["losses"], alone["losses"], rtol=1e-5)
        assert_close(found["weights"], alone["weights"])


def test_stopped_and_gone_on_equals_uninterrupted_bit_for_bit(tmp_path: Path, four: tuple[Path, list[dict[str, Any]]]) -> None:
    run_together(4, train_once, tmp_path, 6, 4, 0.0, environment=FULL)
    for found, whole in zip(run_together(4, train_once, tmp_path, environment=FULL), four[1], strict=True):
        assert found["losses"] == whole["losses"]
        assert_equal(found["weights"], whole["weights"])
        assert_equal(found["moments"], whole["moments"])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_layers_are_sharded_too(tmp_path: Path, alone: dict[str, Any]) -> None:
    for settings in (FULL, FULL | {"SNOWCODER_ACTIVATION_CHECKPOINTING": "1"}):
        together = run_together(2, train_once, tmp_path / str(len(settings)), 6, None, 1e9, True, environment=settings)
        assert_shared_out(together, copies=1, placements="(Shard(dim=0),)")
        for found in together:
            np.testing.assert_allclose(found["losses"], alone["losses"], rtol=1e-5)


def test_activations_are_checkpointed_in_shards_too(tmp_path: Path, four: tuple[Path, list[dict[str, Any]]]) -> None:
    for found in run_together(4, train_once, tmp_path, environment=FULL | {"SNOWCODER_ACTIVATION_CHECKPOINTING": "1"}):
        assert found["losses"] == four[1][0]["losses"]
        assert_equal(found["weights"], four[1][0]["weights"])


def test_processes_that_do_not_make_whole_nodes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="4 processes do not make nodes of 3; start the same number on every node"):
        run_together(4, train_once, tmp_path, environment=HYBRID, per_node=3)


def test_nothing_set_is_one_model_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SNOWCODER_"):
            monkeypatch.delenv(name)
    assert environment.text("SNOWCODER_SHARDING") == "none"
    assert not environment.flag("SNOWCODER_ACTIVATION_CHECKPOINTING")


def test_a_pass_without_gradients_leaves_nothing_whole_once_released() -> None:
    (before, after), _ = run_together(2, sharded_before_and_after_release)
    assert (before, after) == (False, True)


def sharded_before_and_after_release() -> tuple[bool, bool]:
    """Whether all weights are shared out after a pass without gradients, and after release_whole_weights."""
    model = initialize(SHAPE)
    objective = distribute(
        Objective(model, bf16=False, compile_layers=False, checkpoint_activations=False), model.model.layers, "full", own_device()
    )
    with torch.no_grad():
        objective(torch.arange(32).reshape(2, 16))
    before = all(isinstance(parameter, DTensor) for parameter in model.parameters())
    release_whole_weights(objective)
    return before, all(isinstance(parameter, DTensor) for parameter in model.parameters())

"""Real processes that train together over gloo, with small models, data and programs."""

import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.schedule import ScheduleParams
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams

# 301 and 50 rows cannot be dealt equally to 2 or 4 processes
SHAPE = ModelParams(vocab_size=301, hidden_size=32, ffn_size=50, layers=2, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3)
N_STEPS = 6


class CountingData:
    """Ten sequences of packed tokens that count upwards, in the shape of TokenShards; ends the run when asked for too many."""

    n_sequences, sequence_length, n_tokens = 10, 16, 160

    def __init__(self, fatal_request: int | None = None) -> None:
        self.asked: list[int] = []
        self._remaining = fatal_request

    def sequences(self, indices: np.ndarray) -> np.ndarray:
        if self._remaining == 0:
            raise KeyError("the end, as asked for")
        self._remaining = None if self._remaining is None else self._remaining - 1
        self.asked.extend(int(index) for index in indices)
        return ((np.asarray(indices)[:, None] * 7 + np.arange(16)) % 300).astype(np.uint16)


def run_together(
    n_processes: int,
    function: Callable[..., Any],
    *arguments: Any,
    environment: Mapping[str, str] | None = None,
    per_node: int | None = None,
) -> list[Any]:
    """What `function(*arguments)` returns in each process of a group, started as by a launcher on nodes of `per_node`; one by default.

    A process's own exception is raised here. One process alone gets no group.
    """
    context = get_context("forkserver")  # imports once, and forks before there are threads
    context.set_forkserver_preload(["snowcoder.pretraining.loop", "torch.distributed.fsdp", "torch.distributed.checkpoint"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ProcessPoolExecutor(n_processes, mp_context=context) as pool:
        futures = []
        for rank in range(n_processes):
            node_size = per_node or n_processes
            variables = {"WORLD_SIZE": n_processes, "RANK": rank, "LOCAL_WORLD_SIZE": node_size, "LOCAL_RANK": rank % node_size}
            variables |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "CUDA_VISIBLE_DEVICES": ""} | dict(environment or {})
            futures.append(pool.submit(_in_group, {name: str(value) for name, value in variables.items()}, function, arguments))
        return [future.result(timeout=300) for future in futures]


def _in_group(variables: dict[str, str], function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    from snowcoder.pretraining.processes import process_group

    os.environ |= variables
    with process_group():
        return function(*arguments)


def train_once(
    state_folder: Path, n_steps: int = N_STEPS, fatal_request: int | None = None, interval_s: float = 1e9, compiled: bool = False
) -> dict[str, Any]:
    """Train the small model with this process's group and tell what was seen: world, asked, losses, parts, weights, moments.

    parts: of each parameter as it was trained (shape, whether it is a DTensor, placements, shape of the local part). moments: the
    optimizer's, whole.
    fatal_request: the data fail (KeyError) when they are asked for the last time before this one; then only {"world"} is told.
    """
    import torch
    import torch.distributed as dist
    from torch.distributed.tensor import DTensor

    from snowcoder.pretraining import loop
    from snowcoder.pretraining.model import initialize

    made: list[Any] = []
    make_optimizer = loop.make_optimizer

    def make_and_keep(model: torch.nn.Module, shared: TrainingParams) -> torch.optim.AdamW:
        made.extend((model, make_optimizer(model, shared)))
        return made[-1]

    loop.make_optimizer = make_and_keep  # in a process of its own
    os.environ["SNOWCODER_CHECKPOINT_INTERVAL_S"] = str(interval_s)
    shared = TrainingParams(
        cpu_threads=1,
        bf16=False,
        compile=compiled,
        attention="eager",
        micro_batch_sequences=3,  # neither divides a share of 4 nor fits one of 2
        weight_decay=0.1,
        adam_beta1=0.9,
        adam_beta2=0.95,
        max_gradient_norm=1.0,
    )
    schedule = ScheduleParams(kind="cosine", peak_learning_rate=3e-3, final_learning_rate=3e-4, warmup_steps=2)
    phase = PhaseParams(tokens=16 * 8 * n_steps, batch_tokens=16 * 8, seed=5, schedule=schedule)
    model, data = initialize(SHAPE), CountingData(fatal_request)
    world = dist.get_world_size() if dist.is_initialized() else 1
    try:
        curve = loop.train(model, data, shared, phase, state_folder, [Look()])  # type: ignore[arg-type]
    except KeyError:
        return {"world": world}
    trained, optimizer = made
    parts = {
        name: (tuple(p.shape), True, str(p.placements), tuple(p.to_local().shape)) if isinstance(p, DTensor) else (tuple(p.shape), False)
        for name, p in trained.named_parameters()
    }
    return {
        "world": world,
        "asked": data.asked,
        "losses": [point.train_loss for point in curve],
        "parts": parts,
        "weights": whole_weights(model),
        "moments": whole_moments(trained, optimizer),
    }


class Look:
    """A pass without gradients after every step, as validation makes them: it must leave no trace, sharded or not."""

    def see(self, step: Any) -> None:
        import torch

        with torch.no_grad():
            assert float(step.objective(torch.arange(32, device=step.device).reshape(2, 16))) > 0


def whole_weights(model: Any) -> dict[str, np.ndarray]:
    """Of a model, gathered if it is sharded, by name."""
    return {name: _whole(parameter) for name, parameter in model.named_parameters()}


def whole_moments(model: Any, optimizer: Any) -> dict[str, np.ndarray]:
    """The optimizer's state, gathered if it is sharded, by the parameter's name and its own."""
    named = {parameter: name for name, parameter in model.named_parameters()}
    return {f"{named[p]}.{key}": _whole(value) for p, state in optimizer.state.items() for key, value in state.items()}


def _whole(tensor: Any) -> np.ndarray:
    from torch.distributed.tensor import DTensor

    whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return np.array(whole.detach().numpy())


def load_newest(state_folder: Path, sharding: str) -> dict[str, Any]:
    """Read the newest checkpoint into another model, spread over this process's group by `sharding`: weights and moments, whole."""
    import torch

    from snowcoder.pretraining.checkpoint_files import read_checkpoint
    from snowcoder.pretraining.checkpoint_writer import newest_checkpoint
    from snowcoder.pretraining.data_parallel import distribute
    from snowcoder.pretraining.model import initialize
    from snowcoder.pretraining.objective import Objective

    model = initialize(SHAPE.model_copy(update={"seed": 4}))
    objective = Objective(model, bf16=False, compile_layers=False, checkpoint_activations=False)
    distribute(objective, model.model.layers, sharding, torch.device("cpu"))  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    checkpoint = newest_checkpoint(state_folder)
    assert checkpoint is not None
    curve = read_checkpoint(checkpoint, model, optimizer)
    return {
        "weights": whole_weights(model),
        "moments": whole_moments(model, optimizer),
        "losses": [point[3] for point in curve],
        "name": checkpoint.name,
    }

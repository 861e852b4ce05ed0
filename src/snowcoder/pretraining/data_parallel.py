"""Trains one model with several processes: replicas (DDP), shards (FSDP2), shards within each node (hybrid), or one process alone.

Every process computes the loss of its share of a batch; gradients are averaged over all of them, so that each way gives the same weights.
Weights travel in float32, as they are stored: autocast then does the same arithmetic as without sharding. torch's own interfaces are used:
accelerate's FSDP was silently ignored on the CPU.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from snowcoder.errors import ParameterError


def distribute(objective: nn.Module, layers: Iterable[nn.Module], sharding: str, device: torch.device) -> nn.Module:
    """Move `objective` to `device`, spread it over the processes of the launcher in place, and return what is to be called.

    sharding: of SNOWCODER_SHARDING: none (each process holds the whole model), full (weights, gradients and optimizer state are shared out
    over all processes) or hybrid (over those of a node; each node holds all of them).
    layers: the parts whose weights are gathered one after the other when the model is sharded.
    """
    if not dist.is_initialized():
        return objective.to(device)
    if sharding == "none":
        return DistributedDataParallel(objective.to(device), device_ids=[device] if device.type == "cuda" else None)
    mesh = _mesh(sharding, device)
    for module in [*layers, objective]:  # what is outside the layers is gathered with the whole; this moves the weights too
        fully_shard(module, mesh=mesh)
    assert isinstance(objective, FSDPModule)
    if device.type == "cpu":
        objective.set_force_sum_reduction_for_comms(True)  # gloo has no mean
    return objective


def _mesh(sharding: str, device: torch.device) -> DeviceMesh:
    """[processes], or [nodes, processes of a node]: the last dimension shares one copy of the model."""
    n_processes = dist.get_world_size()
    if sharding == "full":
        return init_device_mesh(device.type, (n_processes,), mesh_dim_names=("shard",))
    per_node = int(os.environ.get("LOCAL_WORLD_SIZE", n_processes))
    if n_processes % per_node:
        raise ParameterError(
            f"SNOWCODER_SHARDING=hybrid: {n_processes} processes do not make nodes of {per_node}; start the same number on every node"
        )
    return init_device_mesh(device.type, (n_processes // per_node, per_node), mesh_dim_names=("replicate", "shard"))


@contextmanager
def accumulation(distributed: nn.Module, last: bool) -> Iterator[None]:
    """Around one micro-batch of a step, `last` or not: replicas exchange gradients once a step.

    Shards give each micro-batch's gradients to their owners at once, as keeping them whole would take the memory that sharding saves; only
    between nodes do they travel once a step.
    """
    if isinstance(distributed, DistributedDataParallel) and not last:
        with distributed.no_sync():
            yield
        return
    if isinstance(distributed, FSDPModule):
        distributed.set_requires_all_reduce(last)
    yield


def clip_gradients(distributed: nn.Module, max_norm: float) -> float:
    """Scale the gradients so that their norm over the whole model is at most `max_norm`; returns the norm before."""
    norm = nn.utils.clip_grad_norm_(distributed.parameters(), max_norm)
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def mean_over_processes(value: Tensor) -> float:
    """The mean of a scalar tensor over all processes; the tensor is overwritten."""
    if not dist.is_initialized():
        return float(value)
    dist.all_reduce(value)
    return float(value / dist.get_world_size())


def release_whole_weights(distributed: nn.Module) -> None:
    """Leave each process with only its shards, after a pass without backward: FSDP2 keeps the outermost weights whole till the next."""
    for module in distributed.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


@torch.no_grad()
def gather_weights(sharded: nn.Module, whole: nn.Module) -> None:
    """Write the weights of a sharded model into another of the same shape, in every process; one parameter is whole at a time."""
    targets = dict(whole.named_parameters())
    for name, parameter in sharded.named_parameters():
        assert isinstance(parameter, DTensor)
        targets[name].copy_(parameter.full_tensor())

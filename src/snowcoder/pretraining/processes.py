"""The processes of one training, as a launcher (`accelerate launch`, torchrun) started them: how many is runtime, not identity.

in:  WORLD_SIZE, RANK, MASTER_ADDR, MASTER_PORT of the environment; without them one process
out: each process's share of a batch, and agreement between processes

Process 0 alone locks the stage, checkpoints, logs and publishes; the others train beside it (`lead`, `follow`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from snowcoder.errors import ParameterError

LONGEST_WAIT = timedelta(days=7)  # process 0 may wait that long for another run of the same stage


def launched_processes() -> int:
    """How many processes the launcher started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def process_group() -> Iterator[bool]:
    """Join the launcher's processes for as long as the context lasts; yields whether this is process 0."""
    if launched_processes() == 1:
        yield True
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_WAIT)
    try:
        yield dist.get_rank() == 0
    finally:
        dist.destroy_process_group()


def lead(state_folder: Path | None) -> None:
    """Process 0 tells the others to train with this state, or (None) that there is nothing to train. Alone: does nothing."""
    if dist.is_initialized():
        dist.broadcast_object_list([state_folder], src=0, device=torch.device("cpu"))


def follow(train: Callable[[Path], object]) -> None:
    """What every process but 0 does: call `train` with the state folder that process 0 names, until it names none."""
    while True:
        told: list[Path | None] = [None]
        dist.broadcast_object_list(told, src=0, device=torch.device("cpu"))
        if told[0] is None:
            return
        train(told[0])


def own_sequences(indices: np.ndarray, rank: int, n_processes: int) -> np.ndarray:
    """The share of process `rank` in a batch (int64 [batch_sequences]): shares are of one size, and together are the batch.

    Equal shares make the mean over processes of their mean losses the mean over the batch. Raises ParameterError if there are none.
    """
    if len(indices) % n_processes:
        raise ParameterError(
            f"pretrain: a batch of {len(indices)} sequences cannot be shared equally by {n_processes} processes; "
            f"start a number of processes that divides it, or change pretrain.*.batch_tokens in params.yaml"
        )
    return indices[rank::n_processes]


def any_process(requested: bool) -> bool:
    """Whether `requested` is true in any process, so that all leave after the same step."""
    if not dist.is_initialized():
        return requested
    flag = torch.tensor(int(requested), device="cuda" if torch.cuda.is_available() else "cpu")
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag.item())

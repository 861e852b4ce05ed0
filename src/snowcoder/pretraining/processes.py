"""The processes of one training, as started by `accelerate launch` or torchrun; their number does not affect a result's identity.

in:  WORLD_SIZE, RANK, MASTER_ADDR, MASTER_PORT of the environment; without them one process
out: each process's share of a batch, and agreement between processes

Process 0 alone locks the stage, checkpoints, logs and publishes; the others train with it (`train_in_processes`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from snowcoder.errors import ParameterError, SnowcoderError
from snowcoder.pipeline.accelerator import device_type
from snowcoder.pipeline.console import say

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
    on_gpu = device_type() == "cuda"
    if on_gpu:
        torch.cuda.set_device(own_device())
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=LONGEST_WAIT)
    failed = False
    try:
        yield dist.get_rank() == 0
    except Exception:
        failed = True  # the others may be gone or waiting for this process: leaving the group cleanly would wait for them
        raise
    finally:
        if not failed:
            dist.destroy_process_group()


def train_in_processes(lead: Callable[[], None], follow: Callable[[Path], None]) -> None:
    """Process 0 calls `lead`; each other process calls `follow` with the state folder of every training that `lead` announces."""
    with process_group() as is_first:
        if is_first:
            lead()
            _broadcast(None)  # no training follows
        else:
            while (state_folder := _broadcast(None)) is not None:
                follow(state_folder)


def announce_training(state_folder: Path) -> None:
    """Process 0 starts the others on the training that resumes from `state_folder`, and trains too. Alone: does nothing."""
    _broadcast(state_folder)


def _broadcast(state_folder: Path | None) -> Path | None:
    """What process 0 passes, in all processes."""
    values = [state_folder]
    if dist.is_initialized():
        dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
    return values[0]


def own_sequences(indices: np.ndarray, rank: int, n_processes: int) -> np.ndarray:
    """The share of process `rank` in a batch (int64 [batch_sequences]): shares are of one size, and together are the batch.

    Equal shares make the mean over processes of their mean losses the mean over the batch. Raises ParameterError if there are none.
    """
    if len(indices) % n_processes:
        raise ParameterError(
            f"pretrain: a batch of {len(indices)} sequences cannot be shared equally by {n_processes} processes; "
            f"start a number of processes that divides it, or change pretrain.variants.*.batch_tokens in params.yaml"
        )
    return indices[rank::n_processes]


def agree(*requested: bool) -> list[bool]:
    """For each request, whether any process makes it, so that all processes do the same after the same step."""
    if not dist.is_initialized():
        return list(requested)
    flags = torch.tensor(requested, dtype=torch.int32, device=own_device())
    dist.all_reduce(flags, op=dist.ReduceOp.MAX)
    return [bool(flag) for flag in flags.tolist()]


def tell_of_crowded_processors(cpu_threads: int) -> None:
    """Processes of one node whose threads outnumber its processors wait for each other: steps of 0.2 s took 3.5 s."""
    n_processes, n_processors = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), len(os.sched_getaffinity(0))
    if process_number() == 0 and device_type() == "cpu" and n_processes * cpu_threads > n_processors:
        say(
            f"{n_processes} processes of pretrain.shared.cpu_threads {cpu_threads} share {n_processors} processors: training will be many "
            "times slower; start fewer processes, or lower pretrain.shared.cpu_threads in params.yaml"
        )


def own_device() -> torch.device:
    """The device of this process: its GPU by its number on the node, or the CPU. Raises DeviceError."""
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if device_type() == "cuda" else torch.device("cpu")


def process_number() -> int:
    """Rank of this process; 0 without a launcher. Raises SnowcoderError if not all launched processes train together."""
    joined = dist.get_world_size() if dist.is_initialized() else 1
    if joined != launched_processes():
        raise SnowcoderError(
            f"the launcher started {launched_processes()} processes, but {joined} train together; "
            "start them by `accelerate launch` or torchrun"
        )
    return dist.get_rank() if dist.is_initialized() else 0

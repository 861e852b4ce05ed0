"""Writes checkpoints atomically while training continues, and finds the newest whole one to resume from.

Checkpoints are in the stage's state (`.work/state/<stage>/<fingerprint>/training/`), never in its outputs, and are removed with that state.
For what a checkpoint holds, and its two forms on disk, see checkpoint_files.
"""

import copy
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from snowcoder.pipeline.console import say
from snowcoder.pipeline.failures import is_full_disk
from snowcoder.pretraining.checkpoint_files import (
    CheckpointCurve,
    TrainingState,
    checkpoint_name,
    checkpoints_in,
    fault_of,
    remove,
    step_of,
    write_shards,
    write_whole,
)


class CheckpointWriter:
    """Writes states in the background: `save` copies the state in memory, and a thread writes the copy.

    One checkpoint is written at a time; the next `save` waits for it. A full disk, or another disk fault, costs that
    checkpoint alone: it is reported, and training continues. Use as a context manager: at its end the last checkpoint is on disk.
    sharded: every process writes its shards, so that all of them make and use the writer together; else process 0 alone saves.
    """

    def __init__(self, folder: Path, sharded: bool = False) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None
        # its own group: the thread's messages must not mix with those of the training
        self._group = dist.new_group(backend="gloo") if sharded else None
        if not dist.is_initialized() or dist.get_rank() == 0:
            for unfinished in folder.glob(".step-*"):  # by a kill
                remove(unfinished)

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True)
        self._settle()

    def save(self, step: int, state: TrainingState, curve: CheckpointCurve) -> None:
        """Write `state` as that after `step` steps; older checkpoints but one are removed. Returns before it is on disk."""
        self._settle()
        self._writing = self._thread.submit(_write, self._folder, step, _copy(state), list(curve), self._group)

    def _settle(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint whose content is what its name says, or None. A torn or modified one is reported and skipped, and so is what
    only begins like a checkpoint's name.

    Called by all processes together: process 0 looks, and sends its answer to the others.
    """
    found: list[Path | None] = [None]
    if not dist.is_initialized() or dist.get_rank() == 0:
        found = [_newest_whole(folder)]
    if dist.is_initialized():
        dist.broadcast_object_list(found, src=0, device=torch.device("cpu"))
    return found[0]


def _newest_whole(folder: Path) -> Path | None:
    for path in sorted(folder.glob("step-*")):
        if step_of(path) is None:
            say(f"{path}: not the name of a checkpoint (step-<step>-<digest>); passed over; move it away if it is none of yours")
    paths = checkpoints_in(folder)[::-1]
    for number, path in enumerate(paths, 1):
        fault = fault_of(path)
        if fault is None:
            return path
        next_try = "resuming from the checkpoint before it" if number < len(paths) else "no earlier checkpoint: starting from the beginning"
        say(f"{path}: torn or modified ({fault}); {next_try}")
    return None


def _write(folder: Path, step: int, state: TrainingState, curve: CheckpointCurve, group: dist.ProcessGroup | None) -> None:
    partial = folder / f".step-{step:09d}.partial"
    publishes = group is None or dist.get_rank(group) == 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = write_whole(partial, state, curve) if group is None else write_shards(partial, state, curve, group)
        if publishes:
            _publish(partial, folder / checkpoint_name(step, digest, sharded=group is not None), step)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        if publishes:
            remove(partial)
            cause = "the disk is full" if is_full_disk(error) else error
            say(
                f"{folder}: the checkpoint of step {step} could not be written ({cause}); "
                "training continues, and a kill now costs the steps since the previous checkpoint"
            )


def _publish(partial: Path, final: Path, step: int) -> None:
    """Give a checkpoint its name. The one before it is kept; older ones are removed, and so are later ones, from before a restart."""
    if final.is_dir():
        remove(final)
    partial.replace(final)
    present = checkpoints_in(final.parent)
    before = [path for path in present if (step_of(path) or 0) < step]
    for path in present:
        if path != final and path not in before[-1:]:
            remove(path)


def _copy(state: Any) -> Any:
    """A deep copy in main memory, which the next step cannot change; of a sharded tensor, of this process's shard."""
    if isinstance(state, torch.Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: _copy(value) for key, value in state.items()}
    return copy.copy(state)

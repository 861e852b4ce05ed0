"""Checkpoints on disk: their content, and two formats, each named `step-<step>-<digest>`; any number of processes can read either.

A training state holds model and optimizer by the parameters' names, in the same form for any number of processes:
  {"model": {name: weight}, "optimizer": {name: {"exp_avg", "exp_avg_sq", "step"}}}
Tensors are DTensors where the model is sharded (data_parallel), and are the model's own memory, not a copy. The tied output embedding is
there once. Learning rate and other settings of the optimizer are not state: they come from params.

  step-….pt   one file of torch, written by one process: the whole state. The digest is the head of the file's SHA-256.
  step-…/     a folder of torch.distributed.checkpoint, written by all processes of a sharded training, each its shards; with curve.json,
              and digests.json: {file: SHA-256}. The digest is the head of the SHA-256 of digests.json.
So name and content come into being together, and a torn or modified checkpoint shows in its name. What has no such name is nobody's
checkpoint: it is neither read nor removed.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import checkpoint as distributed_checkpoint
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from snowcoder.errors import CheckpointError
from snowcoder.storage.files import fsync, sha256_file, write_json

DIGEST_CHARS = 16
NAME = re.compile(rf"step-([0-9]{{9,18}})-[0-9a-f]{{{DIGEST_CHARS}}}(\.pt)?")
CURVE, DIGESTS = "curve.json", "digests.json"
CheckpointCurve = list[tuple[float, ...]]
TrainingState = dict[str, dict[str, Any]]


def checkpoint_name(step: int, digest: str, sharded: bool) -> str:
    """The name of the checkpoint after `step` steps."""
    return f"step-{step:09d}-{digest}{'' if sharded else '.pt'}"


def step_of(path: Path) -> int | None:
    """After how many steps a checkpoint was written, by its name; None of what is named otherwise."""
    found = NAME.fullmatch(path.name)
    return int(found[1]) if found else None


def checkpoints_in(folder: Path) -> list[Path]:
    """The paths with a checkpoint's name, in the order of their steps."""
    steps = {path: step for path in folder.glob("step-*") if (step := step_of(path)) is not None}
    return sorted(steps, key=lambda path: (steps[path], path.name))


def write_whole(partial: Path, state: TrainingState, curve: CheckpointCurve) -> str:
    """Write the file under a temporary name; returns its digest."""
    with partial.open("wb") as file:  # for a file that it opens itself, torch does not say why it cannot be written
        torch.save(state | {"curve": curve}, file)
    fsync(partial)
    return sha256_file(partial)[:DIGEST_CHARS]


def write_shards(partial: Path, state: TrainingState, curve: CheckpointCurve, group: dist.ProcessGroup) -> str:
    """Write the folder under a temporary name, all processes of `group` together; process 0 returns its digest, the others "".

    Raises RuntimeError in every process if one of them cannot write.
    """
    try:
        distributed_checkpoint.save(state, storage_writer=FileSystemWriter(partial), process_group=group)
    except CheckpointException as error:  # torch's is not an Exception
        raise RuntimeError(_causes(error)) from error
    if dist.get_rank(group) != 0:
        return ""
    (partial / CURVE).write_text(json.dumps(curve))
    write_json(partial / DIGESTS, {path.name: sha256_file(path) for path in sorted(partial.iterdir())})
    for path in partial.iterdir():
        fsync(path)
    return sha256_file(partial / DIGESTS)[:DIGEST_CHARS]


def _causes(error: CheckpointException) -> str:
    return "; ".join(f"process {rank}: {cause}" for rank, (cause, _) in error.failures.items())


def fault_of(checkpoint: Path) -> str | None:
    """What is wrong with the content of a checkpoint, or None."""
    if checkpoint.is_file():
        return _difference(sha256_file(checkpoint), checkpoint.stem)
    digests = checkpoint / DIGESTS
    if not digests.exists():
        return f"it has no {DIGESTS}"
    if fault := _difference(sha256_file(digests), checkpoint.name):
        return f"{DIGESTS}: {fault}"
    for name, digest in json.loads(digests.read_text()).items():
        if not (checkpoint / name).exists():
            return f"{name} is missing"
        if sha256_file(checkpoint / name) != digest:
            return f"{name}: its SHA-256 is not the one in {DIGESTS}"
    return None


def _difference(found: str, name: str) -> str | None:
    return None if found[:DIGEST_CHARS] == name.rpartition("-")[2] else f"its SHA-256 starts with {found[:DIGEST_CHARS]}"


def read_checkpoint(checkpoint: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> CheckpointCurve:
    """Set model and optimizer, sharded or not, to a checkpoint's state and return its curve; all processes call it together.

    Raises CheckpointError if it is from another model.
    """
    try:
        if checkpoint.is_file():
            state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
            curve: CheckpointCurve = state.pop("curve")
            restore_state(model, optimizer, state, whole=True)
            return curve
        check_shapes(model, _saved_shapes(checkpoint))
        state = training_state(model, optimizer)  # read into the memory of model and optimizer
        distributed_checkpoint.load(state, storage_reader=FileSystemReader(checkpoint))
        restore_state(model, optimizer, state, whole=False)
        return [tuple(point) for point in json.loads((checkpoint / CURVE).read_text())]
    except (CheckpointError, CheckpointException) as error:
        cause = _causes(error) if isinstance(error, CheckpointException) else error
        raise CheckpointError(f"{checkpoint}: {cause}; remove the folder {checkpoint.parent} to train from the start") from error


def _saved_shapes(checkpoint: Path) -> dict[str, torch.Size]:
    """Of the weights in a folder."""
    saved = FileSystemReader(checkpoint).read_metadata().state_dict_metadata
    prefix = "model."
    return {
        key.removeprefix(prefix): entry.size
        for key, entry in saved.items()
        if key.startswith(prefix) and isinstance(entry, TensorStorageMetadata)
    }


def remove(checkpoint: Path) -> None:
    """Remove a checkpoint, or what is left of one that was not finished; a kill in between leaves nothing that looks like a checkpoint."""
    if checkpoint.is_dir():
        gone = checkpoint.with_name(f".{checkpoint.name.lstrip('.')}.removed")
        checkpoint.rename(gone)
        shutil.rmtree(gone)
    else:
        checkpoint.unlink(missing_ok=True)


def training_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> TrainingState:
    """The current state. An optimizer without a step yet gets moments of zero."""
    weights, optimizer_state = get_state_dict(model, optimizer)
    names = {name for name, _ in model.named_parameters()}
    moments = optimizer_state["state"]
    assert isinstance(moments, dict)
    return {"model": {name: tensor for name, tensor in weights.items() if name in names}, "optimizer": moments}


def restore_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: TrainingState, whole: bool) -> None:
    """Set model and optimizer to `state`. whole: its tensors are whole in every process, though the model may be sharded."""
    check_shapes(model, {name: weight.shape for name, weight in state["model"].items()})
    _, present = get_state_dict(model, optimizer)
    set_state_dict(
        model,
        optimizer,
        model_state_dict=dict(state["model"]),
        optim_state_dict={"state": state["optimizer"], "param_groups": present["param_groups"]},
        options=StateDictOptions(full_state_dict=whole, strict=False),  # not strict: the tied embedding is included once
    )


def check_shapes(model: torch.nn.Module, found: dict[str, torch.Size]) -> None:
    """Raises CheckpointError, naming the first difference, unless `found` are the shapes of the model's parameters."""
    expected = {name: parameter.shape for name, parameter in model.named_parameters()}
    for name in sorted(expected.keys() | found.keys()):
        there, here = (tuple(shapes[name]) if name in shapes else "none" for shapes in (found, expected))
        if there != here:
            raise CheckpointError(f"the checkpoint is from another model: {name} is {there} in it and {here} in the model to train")

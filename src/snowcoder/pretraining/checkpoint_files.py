"""The two forms of a checkpoint on disk, each named `step-<step>-<digest>`; either can be read by any number of processes.

  step-….pt   one file of torch, written by one process: the whole state. The digest is the head of the file's SHA-256.
  step-…/     a folder of torch.distributed.checkpoint, written by all processes of a sharded training, each its shards; with curve.json,
              and digests.json: {file: SHA-256}. The digest is the head of the SHA-256 of digests.json.
So name and content come into being together, and what is torn or changed is seen by its name.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import checkpoint as distributed_checkpoint
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import TensorStorageMetadata

from snowcoder.errors import CheckpointError
from snowcoder.pretraining.training_state import State, check_shapes, restore_state, training_state
from snowcoder.storage.files import fsync, sha256_file, write_json

DIGEST_CHARS = 16
CURVE, DIGESTS = "curve.json", "digests.json"
Curve = list[tuple[float, ...]]


def write_whole(partial: Path, state: State, curve: Curve) -> str:
    """Write the file under a temporary name; returns its digest."""
    with partial.open("wb") as file:  # of a file that it opens itself, torch does not say why it cannot be written
        torch.save(state | {"curve": curve}, file)
    fsync(partial)
    return sha256_file(partial)[:DIGEST_CHARS]


def write_shards(partial: Path, state: State, curve: Curve, group: dist.ProcessGroup) -> str:
    """Write the folder under a temporary name, all processes of `group` together; process 0 returns its digest, the others "".

    Raises RuntimeError in every process if one of them cannot write.
    """
    try:
        distributed_checkpoint.save(state, storage_writer=FileSystemWriter(partial), process_group=group)
    except CheckpointException as error:  # torch's is no Exception
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
    return None if found[:DIGEST_CHARS] == name.rpartition("-")[2] else f"its SHA-256 begins with {found[:DIGEST_CHARS]}"


def read_checkpoint(checkpoint: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Curve:
    """Set model and optimizer, sharded or not, to a checkpoint's state and return its curve; all processes call it together.

    Raises CheckpointError if it is of another model.
    """
    try:
        if checkpoint.is_file():
            state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
            curve: Curve = state.pop("curve")
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
    """Remove a checkpoint, or what is left of one that was not finished; a kill in between leaves nothing that looks like one."""
    if checkpoint.is_dir():
        gone = checkpoint.with_name(f".{checkpoint.name.lstrip('.')}.removed")
        checkpoint.rename(gone)
        shutil.rmtree(gone)
    else:
        checkpoint.unlink(missing_ok=True)

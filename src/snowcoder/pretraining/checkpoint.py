"""Training state on disk: weights, optimizer moments, step and losses so far, written atomically while training goes on.

State lives beside a stage's outputs-to-be (`.work/state/<stage>/<fingerprint>/training/`), never in them, and goes with them. A checkpoint
is one file, `step-<step>-<digest>.pt`; the digest is the head of its SHA-256, so that name and content come into being together.
"""

import copy
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from snowcoder.console import say
from snowcoder.shards import fsync, sha256_file

KEPT_CHECKPOINTS = 2
DIGEST_CHARS = 16


class CheckpointWriter:
    """Writes states behind training's back: `save` copies the state in memory, a thread writes the copy.

    One checkpoint is written at a time; the next `save` waits for it. A disk that is full, or another fault of the disk, costs that
    checkpoint alone: it is told, and training goes on. Use as a context manager: at its end the last checkpoint is on disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True)
        self._settle()

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write `state` as that after `step` steps; older checkpoints but one are removed. Returns before it is on disk."""
        self._settle()
        self._writing = self._thread.submit(_write, self._folder, step, _copy(state))

    def _settle(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None


def load_state(folder: Path) -> dict[str, Any] | None:
    """The newest state whose content is what its name says, or None. One that is torn or was changed is told and passed over."""
    for path in sorted(folder.glob("step-*.pt"), reverse=True):
        found = sha256_file(path)[:DIGEST_CHARS]
        if found == path.stem.rpartition("-")[2]:
            return torch.load(path, map_location="cpu", weights_only=True)
        say(f"{path}: is torn or was changed (its SHA-256 begins with {found}); going on from the checkpoint before it")
    return None


def _write(folder: Path, step: int, state: dict[str, Any]) -> None:
    partial = folder / f".step-{step:09d}.{os.getpid()}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(state | {"step": step}, partial)
        fsync(partial)
        partial.replace(folder / f"step-{step:09d}-{sha256_file(partial)[:DIGEST_CHARS]}.pt")
        for old in sorted(folder.glob("step-*.pt"))[:-KEPT_CHECKPOINTS]:
            old.unlink()
    except (OSError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError of its own
        partial.unlink(missing_ok=True)
        say(f"{folder}: the checkpoint of step {step} could not be written ({error}); training goes on, a kill now costs the steps since")


def _copy(state: Any) -> Any:
    """A deep copy in main memory, which the next step cannot change."""
    if isinstance(state, torch.Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: _copy(value) for key, value in state.items()}
    if isinstance(state, list):
        return [_copy(value) for value in state]
    return copy.copy(state)

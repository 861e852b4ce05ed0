"""Training state on disk: weights, optimizer moments, step and losses so far, written atomically, the newest readable one taken up.

State lives beside a stage's outputs-to-be (`.work/state/<stage>/<fingerprint>/training/`), never in them, and goes with them.
"""

import os
from pathlib import Path
from typing import Any

import torch

from snowcoder.console import say
from snowcoder.shards import fsync

KEPT_CHECKPOINTS = 2


def save_state(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write `state` as that after `step` steps; older checkpoints but one are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:09d}.pt"
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    torch.save(state | {"step": step}, partial)
    fsync(partial)
    partial.replace(path)
    for old in sorted(folder.glob("step-*.pt"))[:-KEPT_CHECKPOINTS]:
        old.unlink()


def load_state(folder: Path) -> dict[str, Any] | None:
    """The newest state that can be read, or None. A torn file (a full disk, say) is reported and passed over, not fatal."""
    for path in sorted(folder.glob("step-*.pt"), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError, ValueError) as error:
            say(f"{path}: cannot be read ({type(error).__name__}); going on from the checkpoint before it")
    return None

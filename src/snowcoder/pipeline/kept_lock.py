"""Keeps a copy of dvc.lock, which DVC writes in place: a kill during that second leaves the beginning of a file.

in: dvc.lock   out: <work>/dvc_lock/<hash of the repository's path>.lock

A stage keeps it when DVC starts it, as DVC then waits and writes nothing; tools/dvc_state.py after a run that ended well. That tool puts it
back where a kill has cut dvc.lock.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from snowcoder.errors import ParameterError
from snowcoder.storage.files import written_whole
from snowcoder.storage.workspace import is_copy

LOCK = Path("dvc.lock")
RUNNING = Path(".dvc/tmp/lock")  # DVC holds it by flock, except while the command of a stage runs
# DVC writes the names of stages, in the order in which they came, as the only keys with two blanks before them
_STAGE = re.compile(rb"^  (\S.*):$", re.MULTILINE)


def kept_path(root: Path, work: Path) -> Path:
    """Where the copy for the repository at `root` is: a work folder may serve several."""
    return work / "dvc_lock" / f"{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}.lock"


def stage_names(text: bytes) -> list[bytes]:
    """The stages of a dvc.lock, in its order."""
    return _STAGE.findall(text)


def has_lost_stages(text: bytes, other: bytes) -> bool:
    """Whether the stages of `text` are the first of `other`'s, and some are gone: what a kill leaves, and few edits do."""
    names, others = stage_names(text), stage_names(other)
    return len(names) < len(others) and names == others[: len(names)]


def keep_lock(root: Path, work: Path, is_finished: bool = False) -> None:
    """Keep the dvc.lock of `root`, unless another DVC process may be writing it.

    is_finished: DVC has ended well, so that no stage is missing; otherwise a file with fewer stages than the copy does not replace it.
    """
    with _not_written(root) as is_at_rest:
        text = (root / LOCK).read_bytes() if is_at_rest and (root / LOCK).exists() else b""
    kept = kept_path(root, work)
    former = kept.read_bytes() if kept.exists() else b""
    is_cut = not text.endswith(b"\n") or (not is_finished and has_lost_stages(text, former))
    if text != former and not is_cut:
        with written_whole(kept) as partial:
            partial.write_bytes(text)


def keep_lock_of_running_dvc(work: Path) -> None:
    """Keep dvc.lock where DVC has started this process, and in the repository itself; a copy that fails must not end a stage."""
    if "DVC_STAGE" in os.environ and not is_copy():
        with suppress(OSError, ParameterError):
            keep_lock(Path.cwd(), work)


@contextmanager
def _not_written(root: Path) -> Iterator[bool]:
    """Whether no DVC process holds its lock; then none can begin to write while the block runs."""
    if not (root / RUNNING).exists():
        yield True
        return
    with (root / RUNNING).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True

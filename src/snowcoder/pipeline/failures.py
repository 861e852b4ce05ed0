"""Turns failures into messages: one message for what the user can fix, a traceback for faults of the code.

A full disk shows in many forms: as an OSError, as text in the errors of torch, safetensors, tokenizers, SQLite and shutil, or as the cause
of an error that reads as something else (a download that does not fit).
"""

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from snowcoder.errors import SnowcoderError

MAX_SHOWN_CHARACTERS = 200
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
# of libraries that pass the system's words on; numpy counts items instead (`3000 requested and 1024 written`)
FULL_DISK_TEXT = re.compile(
    r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b|disk is full|\d+ requested and \d+ written"
)
# of torch (CPU, CUDA), NumPy and C++ libraries; Python's own is MemoryError
NO_MEMORY_TEXT = re.compile(r"can't allocate memory|not enough memory|out of memory|Unable to allocate|std::bad_alloc")


def failure_message(error: BaseException, folders: Iterable[Path]) -> str | None:
    """The message for `error`, or None for a bug in this program.

    folders: where the command writes; the message names the free space of their disks.
    """
    full = next((one for one in _chain(error) if _is_full_disk(one)), None)
    if full is not None:
        own_words = isinstance(error, SnowcoderError) and _is_full_disk(error)
        return _full_disk_message(error if own_words else full, own_words, folders)
    if isinstance(error, SnowcoderError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_MEMORY_TEXT.search(str(error))):
        said = f" ({str(error).splitlines()[0][:MAX_SHOWN_CHARACTERS]})" if str(error) else ""
        return f"the memory does not suffice{said}; lower the model's or the batches' size in params.yaml, or run on a larger machine"
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno == errno.EFBIG:
            what = "a file has reached its size limit: see `ulimit -f` and the file system's limit"
            return f"{error.filename or 'a file'}: {error.strerror}; {what}; then run again: finished work is kept"
        if error.filename is not None:
            return f"{error.filename}: {error.strerror}; fix it and run again: finished work is kept"
    return None


def is_full_disk(error: BaseException) -> bool:
    """Whether a disk without space, or a used-up quota, is behind an error."""
    return any(map(_is_full_disk, _chain(error)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was raised from or while handling, and so on."""
    seen: set[int] = set()
    following: list[BaseException | None] = [error]
    while following:
        one = following.pop(0)
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            following += [one.__cause__, None if one.__suppress_context__ else one.__context__]


def _is_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL_DISK
    return FULL_DISK_TEXT.search(str(error)) is not None


def _full_disk_message(error: BaseException, own_words: bool, folders: Iterable[Path]) -> str:
    what = "your quota is used up" if getattr(error, "errno", None) == errno.EDQUOT or "quota" in str(error) else "the disk is full"
    # when copying, the second name is the one that was written
    where = str(error) if own_words else getattr(error, "filename2", None) or getattr(error, "filename", None)
    free = "; ".join(f"{folder}: {shutil.disk_usage(folder).free / 2**20:,.0f} MiB free" for folder in _one_of_each_disk(folders))
    return (
        f"{what}{f' ({where})' if where else ''}. {free}. Make room, then run the same command again: finished shards, checkpoints and "
        "stored answers are kept. `dvc gc --workspace` removes cached outputs that the current params do not use"
    )


def _one_of_each_disk(folders: Iterable[Path]) -> list[Path]:
    devices: dict[int, Path] = {}
    for folder in folders:
        existing = next((path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()), Path(os.sep))
        devices.setdefault(existing.stat().st_dev, existing)
    return list(devices.values())

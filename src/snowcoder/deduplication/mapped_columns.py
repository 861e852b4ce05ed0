"""Columns mapped into memory: one .npy file each with a value per file of the corpus, so that choosing needs little memory.

rank_of_file, file_of_rank    ranks         file number <-> place in the order of survivors (0 is the best), uint32
leader_of_rank                exact         the best rank among the files of the same bytes, uint32
nominated                     nomination    1 for a file that shares a band with another, uint8
set_starts, set_sizes         verification  where the file's shingle set is, int64 and uint32
status, kept_rank, jaccard    greedy        the choice
"""

import os
from pathlib import Path

import numpy as np


def new_column(path: Path, size: int, dtype: type) -> np.memmap:
    """A column of zeros, kept on disk. Raises OSError if it does not fit: a mapped page without a place on disk would kill the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(size,))
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return made


def flush(*columns: np.memmap) -> None:
    """Put written columns on disk: a worker on another machine sees that, and not the mapped pages of this one."""
    for each in columns:
        each.flush()


def column(columns: Path, name: str) -> np.ndarray:
    """A finished column, mapped for reading."""
    return np.load(columns / f"{name}.npy", mmap_mode="r")

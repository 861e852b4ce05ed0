"""Exact duplicates: files of equal bytes; and the order of all files by rank, which both kinds of duplicates are chosen in.

Columns are .npy files with a place per file, mapped into memory:
  rank_of_file, file_of_rank  uint32: file number <-> place in the order of survivors (0 is the best)
  leader_of_rank              uint32: the best rank among the files of the same bytes; a file that leads itself stands for its copies
"""

import hashlib
import os
from functools import partial
from pathlib import Path

import numpy as np

from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.sorted_runs import Runs, group_starts, write_array
from snowcoder.pipeline.execution import map_items


def content_key(content: str) -> bytes:
    """What two texts share exactly when their bytes are equal: sha256 of the UTF-8 text (32 bytes)."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def order_files(sketched: Sketched, columns: Path) -> None:
    """Write the columns rank_of_file and file_of_rank."""
    runs = Runs(sketched.stems_of("ranks"))
    files = map_items(partial(_order_bucket, runs, sketched, columns), range(len(runs)), "deduplicate: order", releases_gil=True)
    rank_of_file = new_column(columns / "rank_of_file.npy", sketched.n_files, np.uint32)
    file_of_rank = new_column(columns / "file_of_rank.npy", sketched.n_files, np.uint32)
    first = 0
    for path in files:
        numbers = np.load(path)
        file_of_rank[first : first + numbers.size] = numbers
        rank_of_file[numbers] = np.arange(first, first + numbers.size, dtype=np.uint32)
        first += numbers.size
        path.unlink()
    flush(rank_of_file, file_of_rank)


def lead_copies(sketched: Sketched, columns: Path) -> None:
    """Write the column leader_of_rank."""
    runs = Runs(sketched.stems_of("contents"))
    files = map_items(partial(_lead_bucket, runs, sketched, columns), range(len(runs)), "deduplicate: exact", releases_gil=True)
    leader_of_rank = new_column(columns / "leader_of_rank.npy", sketched.n_files, np.uint32)
    leader_of_rank[:] = np.arange(sketched.n_files, dtype=np.uint32)
    for path in files:
        copies, leaders = np.load(path)
        leader_of_rank[copies] = leaders
        path.unlink()
    flush(leader_of_rank)


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


def _order_bucket(runs: Runs, sketched: Sketched, columns: Path, number: int) -> Path:
    _, rows, shards = runs.bucket(number)
    path = columns / f"order-{number}.npy"
    write_array(path, sketched.numbers(shards, rows).astype(np.uint32))
    return path


def _lead_bucket(runs: Runs, sketched: Sketched, columns: Path, number: int) -> Path:
    """Write uint32[2, copies]: ranks of the files that follow another in their group, and of their leaders."""
    keys, rows, shards = runs.bucket(number)
    ranks = column(columns, "rank_of_file")[sketched.numbers(shards, rows)]
    starts = group_starts(keys)
    leaders = np.repeat(np.minimum.reduceat(ranks, starts[:-1]), np.diff(starts)) if keys.size else ranks
    follows = ranks != leaders
    path = columns / f"copies-{number}.npy"
    write_array(path, np.stack([ranks[follows], leaders[follows]]))
    return path

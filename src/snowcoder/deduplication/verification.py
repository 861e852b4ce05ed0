"""Verifies pairs by the exact Jaccard similarity of their shingle sets.

Shingle sets of the nominated files alone are computed, shard by shard, into one file of uint64 (sorted and distinct per set) that is mapped
into memory; columns set_starts (int64) and set_sizes (uint32), by file number, say where each set is.
"""

import mmap
import shutil
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from snowcoder.deduplication.kernels import exact_jaccards
from snowcoder.deduplication.mapped_columns import column, flush, new_column
from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.sorted_runs import Runs, write_array
from snowcoder.pipeline.execution import map_items
from snowcoder.storage.files import written_whole

# (shard, rows of it) -> (their shingle sets end to end, int64 sizes); picklable
ShinglesOf = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]
# Mapped pages are given back after as many shingles, or they would count as this process's memory until it ends.
SHINGLES_AT_ONCE = 2**24


def store_shingles(sketched: Sketched, columns: Path, shingles_of: ShinglesOf) -> None:
    """Write columns/shingles.u64 and the columns set_starts and set_sizes."""
    shards = range(len(sketched.stems))
    parts = map_items(partial(_shingle_shard, sketched, columns, shingles_of), shards, "deduplicate: shingles", releases_gil=True)
    starts = new_column(columns / "set_starts.npy", sketched.n_files, np.int64)
    sizes = new_column(columns / "set_sizes.npy", sketched.n_files, np.uint32)
    written = 0
    with (columns / "shingles.u64").open("wb") as store:
        for shard, part in enumerate(parts):
            slice_ = slice(sketched.starts[shard], sketched.starts[shard + 1])
            sizes[slice_] = np.load(part.with_suffix(".npy"))
            starts[slice_] = written + np.cumsum(sizes[slice_], dtype=np.int64) - sizes[slice_]
            written += int(sizes[slice_].sum(dtype=np.int64))
            with part.with_suffix(".u64").open("rb") as file:
                shutil.copyfileobj(file, store, 2**20)
            part.with_suffix(".u64").unlink()
    flush(starts, sizes)


def verify_pairs(pairs: Runs, columns: Path, threshold: float, folder: Path) -> tuple[list[Path], int]:
    """(stems of runs of matching pairs -> their Jaccard, in ascending order of pairs; number of pairs whose sets were compared)."""
    found = map_items(
        partial(_verify_bucket, pairs, columns, threshold, folder), range(len(pairs)), "deduplicate: verify", releases_gil=True
    )
    return [stem for stem, _ in found], sum(count for _, count in found)


def _shingle_shard(sketched: Sketched, columns: Path, shingles_of: ShinglesOf, shard: int) -> Path:
    nominated = column(columns, "nominated")[sketched.starts[shard] : sketched.starts[shard + 1]]
    rows = np.flatnonzero(nominated)
    shingles, sizes = shingles_of(shard, rows)
    stem = columns / f"shingles-{shard}"
    with written_whole(stem.with_suffix(".u64"), survives_power_loss=False) as partial_path, partial_path.open("wb") as file:
        shingles.tofile(file)
    all_sizes = np.zeros(nominated.size, dtype=np.uint32)
    all_sizes[rows] = sizes
    write_array(stem.with_suffix(".npy"), all_sizes)
    return stem


def _verify_bucket(pairs: Runs, columns: Path, threshold: float, folder: Path, number: int) -> tuple[Path, int]:
    keys = pairs.distinct_keys(number)
    files = column(columns, "file_of_rank")
    found = _jaccards(columns, files[keys >> np.uint64(32)], files[keys & np.uint64(0xFFFFFFFF)], threshold)
    stem = folder / f"match-{number}"
    matches = found >= threshold
    write_array(stem.with_suffix(".values.npy"), found[matches])
    write_array(stem.with_suffix(".keys.npy"), keys[matches])
    return stem, int(np.count_nonzero(found >= 0.0))


def _jaccards(columns: Path, worse: np.ndarray, better: np.ndarray, threshold: float) -> np.ndarray:
    """float64[pairs] of file numbers; -1.0 where the sizes of the sets keep the Jaccard below the threshold."""
    found = np.empty(worse.size, dtype=np.float64)
    if worse.size == 0:
        return found
    starts, sizes = np.asarray(column(columns, "set_starts")), np.asarray(column(columns, "set_sizes"))
    shingles = np.memmap(columns / "shingles.u64", dtype=np.uint64, mode="r")
    batches = np.cumsum(sizes[worse].astype(np.int64) + sizes[better]) // SHINGLES_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(batches)) + 1), worse.size]
    for start, stop in pairwise(cuts):
        part = slice(start, stop)
        exact_jaccards(np.asarray(shingles), starts, sizes, worse[part], better[part], threshold, found[part])
        shingles._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
    return found

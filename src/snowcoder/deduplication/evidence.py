"""Writes the evidence of deduplication: why each file was dropped, every matching pair, and the cluster sizes.

dropped/ rows (DROPPED_SCHEMA): the file; reason 'exact' or 'near'; the kept file that represents it; their exact Jaccard, >= the threshold.
pairs/ rows (PAIR_SCHEMA): each compared pair of files that reaches the threshold, the preferred one second; their exact Jaccard; and what
became of both: in a chain, the end that stays has a pair with the middle that was dropped. Exact copies are in dropped/ only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from snowcoder.deduplication.greedy import DROPPED, RANKS_AT_ONCE, Choice
from snowcoder.deduplication.mapped_columns import column
from snowcoder.deduplication.sketches import Sketched, names_of
from snowcoder.deduplication.sorted_runs import Runs
from snowcoder.pipeline.execution import map_items
from snowcoder.source_files.records import text_columns
from snowcoder.storage.shards import shard_name, write_manifest, write_shard

DROPPED_SCHEMA = pa.schema(
    [
        *text_columns("file_id", "repository", "path", "language", "reason", "kept_file_id", "kept_repository", "kept_path"),
        ("jaccard", pa.float64()),
    ]
)
PAIR_SCHEMA = pa.schema(
    [
        *text_columns("file_id", "preferred_file_id"),
        *(("jaccard", pa.float64()), ("is_dropped", pa.bool_()), ("preferred_is_dropped", pa.bool_())),
    ]
)
# Lower ends of the classes in which clusters are counted: a kept file and all files dropped for it.
CLUSTER_SIZES = (2, 3, 5, 10, 100, 1000)
PAIRS_PER_SHARD = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Drops:
    """The dropped files of one shard: their rows, whether they are exact copies, file numbers of the kept ones, exact Jaccards."""

    rows: np.ndarray
    exact: np.ndarray
    kept: np.ndarray
    jaccards: np.ndarray


def drops_of(sketched: Sketched, columns: Path, shard: int) -> Drops:
    """Which rows of a shard are dropped, and for what."""
    ranks = column(columns, "rank_of_file")[sketched.starts[shard] : sketched.starts[shard + 1]]
    near, exact, kept, jaccards = _fates(columns, ranks)
    rows = np.flatnonzero(near | exact)
    return Drops(rows, exact[rows], column(columns, "file_of_rank")[kept[rows]].astype(np.int64), jaccards[rows])


def dropped_rows(table: pa.Table, drops: Drops, sketched: Sketched) -> pa.Table:
    """DROPPED_SCHEMA rows of a shard of SourceFile rows."""
    files = table.select(DROPPED_SCHEMA.names[:4]).take(pa.array(drops.rows))
    reasons = pa.array(np.where(drops.exact, "exact", "near").astype(object), pa.string())
    names = names_of(sketched, drops.kept).columns
    return pa.Table.from_arrays([*files.columns, reasons, *names, pa.array(drops.jaccards, pa.float64())], schema=DROPPED_SCHEMA)


def write_pairs(sketched: Sketched, choice: Choice, output: Path) -> int:
    """Write the pairs table; return its rows."""
    runs = Runs(choice.matches, PAIRS_PER_SHARD)
    rows = map_items(
        partial(_write_pair_shard, runs, sketched, choice.columns, output), range(len(runs)), "deduplicate: evidence", releases_gil=True
    )
    write_manifest(output, PAIR_SCHEMA)
    return sum(rows)


def cluster_metrics(sketched: Sketched, choice: Choice) -> dict[str, object]:
    """The largest cluster, and the number of clusters by size (kept file and dropped ones together), as {'2': n, '3-4': n, …}."""
    dropped_for = np.zeros(sketched.n_files, dtype=np.uint32)
    for first in range(0, sketched.n_files, RANKS_AT_ONCE):
        ranks = np.arange(first, min(first + RANKS_AT_ONCE, sketched.n_files))
        near, exact, kept, _ = _fates(choice.columns, ranks)
        np.add.at(dropped_for, kept[near | exact], 1)
    sizes = np.histogram(dropped_for, bins=[size - 1 for size in CLUSTER_SIZES] + [2**32])[0]
    labels = [_label(low, high) for low, high in zip(CLUSTER_SIZES, [*CLUSTER_SIZES[1:], 0], strict=True)]
    largest = {"kept_file_id": "", "files_dropped": 0}
    if dropped_for.any():
        rank = int(np.argmax(dropped_for))  # of equals the best file
        number = column(choice.columns, "file_of_rank")[[rank]].astype(np.int64)
        largest = {"kept_file_id": names_of(sketched, number)["file_id"][0].as_py(), "files_dropped": int(dropped_for[rank])}
    return {"largest_cluster": largest, "clusters_by_size": dict(zip(labels, sizes.tolist(), strict=True))}


def _fates(columns: Path, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Per rank: dropped as near, dropped as exact, the kept rank, the Jaccard with it."""
    leaders = column(columns, "leader_of_rank")[ranks]
    near = column(columns, "status")[leaders] == DROPPED
    exact = ~near & (leaders != ranks)  # a copy of a near duplicate is one itself: the file named must be a kept one
    kept = np.where(near, column(columns, "kept_rank")[leaders], leaders)
    return near, exact, kept, np.where(near, column(columns, "jaccard")[leaders], 1.0)


def _write_pair_shard(runs: Runs, sketched: Sketched, columns: Path, output: Path, number: int) -> int:
    keys, jaccards, _ = runs.bucket(number)
    keys, places = np.unique(keys, return_index=True)  # a pair left undecided is compared again in the next round
    sides: Sequence[np.ndarray] = (keys >> np.uint64(32), keys & np.uint64(0xFFFFFFFF))
    files = [column(columns, "file_of_rank")[side].astype(np.int64) for side in sides]
    status = [column(columns, "status")[side] == DROPPED for side in sides]
    ids = [names_of(sketched, numbers)["file_id"] for numbers in files]
    arrays = [*ids, pa.array(jaccards[places], pa.float64()), *(pa.array(dropped) for dropped in status)]
    write_shard(output / shard_name(number), pa.Table.from_arrays(arrays, schema=PAIR_SCHEMA), PAIR_SCHEMA)
    return keys.size


def _label(low: int, high: int) -> str:
    return f"{low}+" if not high else f"{low}" if high == low + 1 else f"{low}-{high - 1}"

"""Finds exact duplicates: of files with equal bytes the best one leads, and only the leader is compared with other files."""

from functools import partial
from pathlib import Path

import numpy as np

from snowcoder.deduplication.mapped_columns import column, flush, new_column
from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.sorted_runs import Runs, group_starts, write_array
from snowcoder.pipeline.execution import map_items


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

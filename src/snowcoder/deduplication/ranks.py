"""Orders all files by their rank keys (see survivors): both kinds of duplicates are chosen in this order."""

from functools import partial
from pathlib import Path

import numpy as np

from snowcoder.deduplication.mapped_columns import flush, new_column
from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.sorted_runs import Runs, write_array
from snowcoder.pipeline.execution import map_items


def write_ranks(sketched: Sketched, columns: Path) -> None:
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


def _order_bucket(runs: Runs, sketched: Sketched, columns: Path, number: int) -> Path:
    _, rows, shards = runs.bucket(number)
    path = columns / f"order-{number}.npy"
    write_array(path, sketched.numbers(shards, rows).astype(np.uint32))
    return path

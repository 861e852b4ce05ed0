"""Nominates pairs of files that share an LSH band. The second exchange of data between shards, by ranges of band keys.

A group is the files of one band key, their exact copies left out, as ranks in ascending order. Of a group of g files there are g (g - 1)
/ 2 pairs, too many where thousands of generated files are alike. So pairs are generated in rounds: each round pairs every undecided member
with the WINDOWS[round] best undecided ones of its group; most of a large group of true duplicates is gone after the first. A member that
is not among the best of each of its groups is incomplete in this round: it may be dropped, but it is not yet certain to stay, and others
may still have to be compared with it.
"""

from functools import partial
from pathlib import Path

import numpy as np

from snowcoder.deduplication.kernels import next_pairs
from snowcoder.deduplication.mapped_columns import column, flush, new_column
from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.sorted_runs import Runs, group_starts, write_array
from snowcoder.pipeline.execution import map_items

UNDECIDED = 0  # in the column status; other values: see greedy
WINDOWS = (8, 64, 512, 4096)
PAIRS_AT_ONCE = 2**22


def group_files(sketched: Sketched, columns: Path, folder: Path) -> list[Path]:
    """Write the groups of two or more files, a pair of .npy files (members, starts) per bucket; return their stems.

    Also writes the column nominated (by file number): 1 for every member of a group.
    """
    runs = Runs(sketched.stems_of("bands"))
    stems = map_items(partial(_group_bucket, runs, sketched, columns, folder), range(len(runs)), "deduplicate: bands", releases_gil=True)
    nominated = new_column(columns / "nominated.npy", sketched.n_files, np.uint8)
    file_of_rank = column(columns, "file_of_rank")
    for stem in stems:
        nominated[file_of_rank[_members(stem)]] = 1
    flush(nominated)
    return stems


def nominate_pairs(groups: list[Path], columns: Path, window: int, folder: Path) -> tuple[Runs, list[Path]]:
    """(runs of pairs worse rank << 32 | better rank, .npy files of incomplete ranks); a pair comes once for every band that it shares."""
    found = map_items(partial(_pair_bucket, columns, window, folder), groups, "deduplicate: pairs", releases_gil=True)
    return Runs([stem for stems, _ in found for stem in stems]), [path for _, path in found]


def _members(stem: Path) -> np.ndarray:
    return np.load(stem.with_name(f"{stem.name}-members.npy"))


def _group_bucket(runs: Runs, sketched: Sketched, columns: Path, folder: Path, number: int) -> Path:
    keys, rows, shards = runs.bucket(number)
    ranks = column(columns, "rank_of_file")[sketched.numbers(shards, rows)]
    leads = column(columns, "leader_of_rank")[ranks] == ranks
    members, starts = large_groups(keys[leads], ranks[leads], minimum=2)
    stem = folder / f"group-{number}"
    write_array(stem.with_name(f"{stem.name}-members.npy"), members)
    write_array(stem.with_name(f"{stem.name}-starts.npy"), starts)
    return stem


def large_groups(keys: np.ndarray, ranks: np.ndarray, minimum: int) -> tuple[np.ndarray, np.ndarray]:
    """(members, starts) of the groups of equal (sorted) keys with at least `minimum` members; ranks ascend in each group."""
    starts = group_starts(keys)
    sizes = np.diff(starts)
    kept = np.repeat(sizes >= minimum, sizes)
    sizes = sizes[sizes >= minimum]
    members = ranks[kept]
    groups = np.repeat(np.arange(sizes.size, dtype=np.uint64), sizes)
    # one key to sort by, group and then rank
    members = np.sort(groups << np.uint64(32) | members.astype(np.uint64)).astype(np.uint32)
    return members, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _pair_bucket(columns: Path, window: int, folder: Path, stem: Path) -> tuple[list[Path], Path]:
    members, starts = _members(stem), np.load(stem.with_name(f"{stem.name}-starts.npy"))
    undecided = column(columns, "status")[members] == UNDECIDED
    groups = np.repeat(np.arange(starts.size - 1), np.diff(starts))[undecided]
    members, starts = large_groups(groups, members[undecided], minimum=2)
    incomplete = folder / f"incomplete-{stem.name}.npy"
    places = np.arange(members.size) - np.repeat(starts[:-1], np.diff(starts))
    write_array(incomplete, np.unique(members[places >= window]))
    return _write_pairs(members, starts, window, folder / f"pairs-{stem.name}"), incomplete


def _write_pairs(members: np.ndarray, starts: np.ndarray, window: int, stem: Path) -> list[Path]:
    stems: list[Path] = []
    pairs = np.empty(PAIRS_AT_ONCE, dtype=np.uint64)
    place = (0, 0, 1)
    while True:
        count, place = next_pairs(members, starts, window, place, pairs)
        if count:
            stems.append(stem.with_name(f"{stem.name}-{len(stems)}"))
            write_array(stems[-1].with_suffix(".keys.npy"), np.unique(pairs[:count]))
        if count < pairs.size:
            return stems

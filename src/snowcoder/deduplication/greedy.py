"""Chooses the files to keep, best first: a file is dropped only for its own similarity to a file that is kept.

No connected components: in a chain A ~ B ~ C in which A and C differ, C is not dropped for B, unless B is kept. So every drop
names a kept file and the exact Jaccard with it, and no chain can wipe out a source. The choice is the greedy maximal independent set of the
verified pairs in the order of ranks, and depends neither on the order of the input nor on the number of workers.

In rounds (see nomination): a file that is incomplete in a round is not yet certain to stay, and nothing is dropped for it. Files that the
last round leaves undecided stay; they are counted.

Memory: that of a shard or a bucket for each worker, and 30 bytes per file in columns that are mapped from disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snowcoder.deduplication.exact import lead_copies
from snowcoder.deduplication.kernels import drop_for_kept
from snowcoder.deduplication.mapped_columns import column, flush, new_column
from snowcoder.deduplication.nomination import UNDECIDED, WINDOWS, group_files, nominate_pairs
from snowcoder.deduplication.ranks import write_ranks
from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.verification import ShinglesOf, store_shingles, verify_pairs

KEPT, DROPPED = 1, 2
RANKS_AT_ONCE = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Columns by rank, in `columns`: status (KEPT, DROPPED), kept_rank and jaccard of a dropped one; matches: runs of all matching pairs.

    A file that is not its own leader_of_rank shares its leader's fate, or is the leader's exact copy if that is kept.
    """

    columns: Path
    matches: Sequence[Path]
    n_nominated: int
    n_verified: int
    n_undecided: int


def choose_survivors(sketched: Sketched, shingles_of: ShinglesOf, threshold: float, folder: Path) -> Choice:
    """The choice among all sketched files; works in `folder`."""
    columns = folder / "columns"
    write_ranks(sketched, columns)
    lead_copies(sketched, columns)
    groups = group_files(sketched, columns, folder / "groups")
    store_shingles(sketched, columns, shingles_of)
    _first_status(sketched.n_files, columns)
    matches: list[Path] = []
    n_verified = 0
    for round_, window in enumerate(WINDOWS):
        work = folder / f"round-{round_}"
        pairs, incomplete = nominate_pairs(groups, columns, window, work)
        found, compared = verify_pairs(pairs, columns, threshold, work)
        n_undecided = _decide(columns, found, incomplete)
        matches += found
        n_verified += compared
        if not n_undecided:
            break
    status = _writable(columns, "status")
    status[status == UNDECIDED] = KEPT
    flush(status)
    return Choice(columns, matches, int(np.count_nonzero(column(columns, "nominated"))), n_verified, n_undecided)


def _first_status(n_files: int, columns: Path) -> None:
    status = new_column(columns / "status.npy", n_files, np.uint8)
    others = new_column(columns / "kept_rank.npy", n_files, np.uint32), new_column(columns / "jaccard.npy", n_files, np.float64)
    nominated, file_of_rank = column(columns, "nominated"), column(columns, "file_of_rank")
    for first in range(0, n_files, RANKS_AT_ONCE):
        part = slice(first, first + RANKS_AT_ONCE)
        status[part] = np.where(nominated[file_of_rank[part]], UNDECIDED, KEPT)
    flush(status, *others)


def _decide(columns: Path, matches: Sequence[Path], incomplete: Sequence[Path]) -> int:
    """Decide what this round's matches allow; return how many files are left undecided."""
    status, kept_rank, jaccard = (_writable(columns, name) for name in ("status", "kept_rank", "jaccard"))
    not_yet = np.asarray(new_column(columns / "incomplete.npy", status.size, np.bool_))
    for path in incomplete:
        not_yet[np.load(path)] = True
    for stem in matches:  # together in ascending order of the worse file
        pairs, found = np.load(stem.with_suffix(".keys.npy")), np.load(stem.with_suffix(".values.npy"))
        drop_for_kept(pairs, found, not_yet, *(np.asarray(each) for each in (status, kept_rank, jaccard)), UNDECIDED, DROPPED)
    undecided = 0
    for first in range(0, status.size, RANKS_AT_ONCE):
        part = slice(first, first + RANKS_AT_ONCE)
        decided = (status[part] == UNDECIDED) & ~not_yet[part]
        status[part][decided] = KEPT
        undecided += int(np.count_nonzero(status[part] == UNDECIDED))
    flush(status, kept_rank, jaccard)
    return undecided


def _writable(columns: Path, name: str) -> np.memmap:
    return np.lib.format.open_memmap(columns / f"{name}.npy", mode="r+")

"""Measures time and memory of deduplication as the number of files grows, on synthetic shingle sets with planted clusters.

`python -m bench.dedup_scale 500000 1000000` makes each corpus under --folder (not timed), deduplicates it (timed: sketches and bands,
order, exact copies, pairs, exact Jaccard, survivors) and prints a line per size; last, the slope of log time on log n. Memory is the sum
of the resident sets of all processes, sampled ten times a second: pages of files mapped by two processes count twice, so it is an upper
bound.

A file is 48 to 111 shingles. Three files of ten are members of clusters of 2 to 33; a member has up to a fifth of its root's shingles
replaced, so that Jaccards within a cluster run from 0.47 to 1.
"""

import argparse
import math
import shutil
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.greedy import DROPPED, choose_survivors
from snowcoder.deduplication.minhash import Scheme, make_scheme
from snowcoder.deduplication.sketches import gather_sketches, write_sketch
from snowcoder.deduplication.sorted_runs import write_array
from snowcoder.pipeline.execution import map_items
from snowcoder.pipeline.params import load_section

FILES_PER_SHARD = 50_000
CLUSTERED_FRACTION = 0.3
MAX_REPLACED_FRACTION = 0.2


def mix(numbers: np.ndarray) -> np.ndarray:
    """splitmix64 (Steele, Lea, Flood 2014): well mixed uint64 of any uint64."""
    h = numbers + np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def roots_of(n_files: int) -> np.ndarray:
    """uint32[n_files]: which file each one is made from; the members of a cluster are spread over the corpus."""
    random = np.random.default_rng(7)
    sizes = np.minimum(random.geometric(0.2, size=n_files // 4) + 1, 33)
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), CLUSTERED_FRACTION * n_files)]
    shuffled = random.permutation(n_files).astype(np.uint32)
    roots = np.arange(n_files, dtype=np.uint32)
    clustered = shuffled[: sizes.sum()]
    roots[clustered] = np.repeat(clustered[np.cumsum(sizes) - sizes], sizes)
    return roots


def make_shard(folder: Path, n_files: int, shard: int) -> Path:
    """Write the shingle sets of one shard: <stem>.sets.npy, sorted per file, and <stem>.starts.npy."""
    files = np.arange(shard * FILES_PER_SHARD, min((shard + 1) * FILES_PER_SHARD, n_files), dtype=np.uint64)
    roots = np.load(folder / "roots.npy", mmap_mode="r")[files.astype(np.int64)].astype(np.uint64)
    sizes = (48 + mix(roots) % np.uint64(64)).astype(np.int64)
    places = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    of_root = mix(np.repeat(roots, sizes) * np.uint64(128) + places.astype(np.uint64))
    of_file = mix(np.repeat(files + np.uint64(n_files), sizes) * np.uint64(128) + places.astype(np.uint64))
    replaced = mix(files * np.uint64(3)) / 2.0**64 * MAX_REPLACED_FRACTION
    is_replaced = (mix(of_file) / 2.0**64 < np.repeat(replaced, sizes)) & (np.repeat(files, sizes) != np.repeat(roots, sizes))
    sets = np.where(is_replaced, of_file, of_root)
    order = np.lexsort((sets, np.repeat(files, sizes)))
    stem = folder / f"shard-{shard:04d}"
    write_array(stem.with_suffix(".sets.npy"), sets[order])
    write_array(stem.with_suffix(".starts.npy"), np.concatenate([[0], np.cumsum(sizes)]))
    return stem


def sketch_shard(folder: Path, scheme: Scheme, stem: Path) -> Path:
    """The sketch of a shard of sets; content keys and ranks are hashes."""
    sets, starts = np.load(stem.with_suffix(".sets.npy"), mmap_mode="r"), np.load(stem.with_suffix(".starts.npy"))
    bands = scheme.band_keys_of_sets(np.asarray(sets), starts)
    sums = np.add.reduceat(mix(np.asarray(sets)), starts[:-1])  # equal sets are exact copies
    contents = np.stack([mix(sums), mix(~sums)], axis=1).view("S16").ravel()
    names = np.arange(starts.size - 1, dtype=np.uint64) + np.uint64(int(stem.name.split("-")[1]) * FILES_PER_SHARD)
    ranks = np.stack([mix(names * np.uint64(5) + np.uint64(word)) for word in range(4)], axis=1).view("S32").ravel()
    write_sketch(folder / stem.name, ranks, contents, bands)
    return folder / stem.name


def shingles_of(stems: list[Path], shard: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sets end to end, their sizes) of some rows of a shard."""
    sets, starts = np.load(stems[shard].with_suffix(".sets.npy"), mmap_mode="r"), np.load(stems[shard].with_suffix(".starts.npy"))
    sizes = np.diff(starts)
    wanted = np.zeros(sizes.size, dtype=np.bool_)
    wanted[rows] = True
    return np.asarray(sets)[np.repeat(wanted, sizes)], sizes[rows]


class PeakMemory(threading.Thread):
    """Samples the resident memory of this process and its children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            total = 0
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak_bytes = max(self.peak_bytes, total)


def measure(n_files: int, folder: Path, params: DeduplicationParams) -> tuple[float, float]:
    """Make a corpus, deduplicate it, print one line; return (wall seconds, processor seconds)."""
    corpus = folder / f"files-{n_files}"
    shutil.rmtree(corpus, ignore_errors=True)
    write_array(corpus / "roots.npy", roots_of(n_files))
    stems = map_items(partial(make_shard, corpus, n_files), range(math.ceil(n_files / FILES_PER_SHARD)), "make")
    memory = PeakMemory()
    memory.start()
    started, processor = time.perf_counter(), _processor_seconds()
    sketch = partial(sketch_shard, corpus / "sketches", make_scheme(params))
    sketched = gather_sketches(map_items(sketch, stems, "sketch", releases_gil=True))
    seconds_sketch = time.perf_counter() - started
    choice = choose_survivors(sketched, partial(shingles_of, stems), params.jaccard_threshold, corpus / "choice")
    seconds, processor = time.perf_counter() - started, _processor_seconds() - processor
    memory.stopped.set()
    status = np.load(choice.columns / "status.npy")
    leaders = np.load(choice.columns / "leader_of_rank.npy")
    copies = np.count_nonzero(leaders != np.arange(n_files))
    print(
        f"{n_files} files: {seconds:.1f} s, of it sketches {seconds_sketch:.1f} s; processor {processor:.1f} s; "
        f"peak {memory.peak_bytes / 2**30:.2f} GiB; nominated {choice.n_nominated}, pairs compared {choice.n_verified}, "
        f"dropped {np.count_nonzero(status == DROPPED)} near and {copies} exact, undecided {choice.n_undecided}",
        flush=True,
    )
    shutil.rmtree(corpus)
    return seconds, processor


def _processor_seconds() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Measure every size and print the slope."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=int, nargs="+", help="numbers of files")
    parser.add_argument("--folder", type=Path, default=Path(".work/bench_dedup_scale"), help="2 KB per file, removed afterwards")
    arguments = parser.parse_args()
    params = load_section("deduplicate_files", DeduplicationParams)
    seconds = [measure(n_files, arguments.folder, params) for n_files in arguments.files]
    if len(seconds) > 1:
        slopes = [np.polyfit(np.log(arguments.files), np.log(column), 1)[0] for column in zip(*seconds, strict=True)]
        print(f"slope {slopes[0]:.2f}, of processor seconds {slopes[1]:.2f}")


if __name__ == "__main__":
    main()

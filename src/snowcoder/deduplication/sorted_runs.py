"""Sorted runs: bring equal keys together, with memory bounded by one bucket instead of the corpus.

A run is two .npy files: sorted keys (uint64 or bytes of fixed width) and, unless the keys are all, a value for each. Every worker writes
runs of what it saw. Buckets are ranges of keys, cut at samples of all runs so that each holds about BUCKET_ENTRIES; a reader of a bucket
takes its slice of every run. Hash keys make these hash-range buckets. All entries of one key are in one bucket.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from snowcoder.storage.files import written_whole

BUCKET_ENTRIES = 2**22
SAMPLES_PER_BUCKET = 8


def write_run(stem: Path, keys: np.ndarray, values: np.ndarray) -> None:
    """Sort by key and write `<stem>.keys.npy` and `<stem>.values.npy`. Values of equal uint64 keys come in any order."""
    order = np.argsort(keys, kind="stable" if keys.dtype.kind == "S" else "quicksort")  # only the latter is vectorised
    write_array(stem.with_suffix(".values.npy"), values[order])
    write_array(stem.with_suffix(".keys.npy"), keys[order])


class Runs:
    """Runs of one kind of key, cut into buckets. Picklable, and the same buckets for every worker."""

    def __init__(self, stems: Sequence[Path], bucket_entries: int | None = None) -> None:
        self.stems = list(stems)
        self.cuts = self._cut(bucket_entries or BUCKET_ENTRIES)

    def __len__(self) -> int:
        """Number of buckets, at least 1."""
        return self.cuts.size + 1

    def bucket(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(keys in ascending order, their values, the places of their runs in `stems`)."""
        keys, values, runs = [], [], []
        for place, (stem, start, stop) in enumerate(self._slices(number)):
            keys.append(_mapped(stem, "keys")[start:stop])
            values.append(_mapped(stem, "values")[start:stop])
            runs.append(np.full(stop - start, place, dtype=np.int32))
        joined = np.concatenate(keys)
        order = np.argsort(joined, kind="stable")  # sorted runs end to end: a merge
        return joined[order], np.concatenate(values)[order], np.concatenate(runs)[order]

    def distinct_keys(self, number: int) -> np.ndarray:
        """The distinct keys of a bucket in ascending order; values are not looked at."""
        keys = [_mapped(stem, "keys")[start:stop] for stem, start, stop in self._slices(number)]
        return np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.uint64)

    def _slices(self, number: int) -> Iterator[tuple[Path, int, int]]:
        for stem in self.stems:
            keys = _mapped(stem, "keys")
            start = np.searchsorted(keys, self.cuts[number - 1]) if number else 0
            stop = np.searchsorted(keys, self.cuts[number]) if number < self.cuts.size else keys.size
            yield stem, int(start), int(stop)

    def _cut(self, bucket_entries: int) -> np.ndarray:
        sizes = [_mapped(stem, "keys").size for stem in self.stems]
        step = max(1, bucket_entries // (SAMPLES_PER_BUCKET * max(1, len(sizes))))
        samples = [_mapped(stem, "keys")[step - 1 :: step] for stem in self.stems]
        ordered = np.sort(np.concatenate(samples)) if samples else np.empty(0, dtype=np.uint64)
        per_bucket = max(1, bucket_entries // step)
        return np.unique(ordered[per_bucket - 1 : -1 : per_bucket]) if sum(sizes) > bucket_entries else ordered[:0]


def group_starts(keys: np.ndarray) -> np.ndarray:
    """int64[groups + 1]: where each group of equal keys starts in a sorted array, and its end."""
    if keys.size == 0:
        return np.zeros(1, dtype=np.int64)
    return np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1, [keys.size]]).astype(np.int64)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file atomically."""
    with written_whole(path, survives_power_loss=False) as partial, partial.open("wb") as file:
        np.save(file, array)


def _mapped(stem: Path, part: str) -> np.ndarray:
    return np.load(stem.with_suffix(f".{part}.npy"), mmap_mode="r")

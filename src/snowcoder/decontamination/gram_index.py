"""Which passages an n-gram belongs to: sorted arrays, small to send to a worker and quick to ask for all n-grams of a file at once."""

from collections.abc import Sequence

import numpy as np


class GramIndex:
    """n-grams (uint64) -> numbers of passages."""

    def __init__(self, grams: Sequence[np.ndarray]) -> None:
        """grams: for each passage its n-grams, in the order of their numbers."""
        flat = np.concatenate([*grams, np.empty(0, dtype=np.uint64)]).astype(np.uint64)
        owners = np.repeat(np.arange(len(grams), dtype=np.int32), [len(part) for part in grams])
        order = np.argsort(flat, kind="stable")
        self._owners = owners[order]
        self._grams, self._starts = np.unique(flat[order], return_index=True)
        self._ends = np.append(self._starts[1:], flat.size)

    def find(self, grams: np.ndarray) -> list[tuple[int, int]]:
        """(position in `grams`, number of a passage that has that n-gram), sorted."""
        if not grams.size or not self._grams.size:
            return []
        places = np.minimum(np.searchsorted(self._grams, grams), self._grams.size - 1)
        positions = np.flatnonzero(self._grams[places] == grams)
        return [
            (int(position), int(owner))
            for position in positions
            for owner in self._owners[self._starts[places[position]] : self._ends[places[position]]]
        ]

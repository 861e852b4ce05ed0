"""Chooses the sequences of each step: a seeded permutation of the packed sequences, a new one for every pass.

Pure: the batch of a step depends only on the seed, the step and the counts, so that a resumed run needs no loader state.
"""

import numpy as np

from snowcoder.seeding import generator


class BatchOrder:
    """Sequence indices of each optimizer step; passes follow one another without a gap or a dropped remainder."""

    def __init__(self, n_sequences: int, batch_sequences: int, seed: int) -> None:
        self.n_sequences = n_sequences
        self.batch_sequences = batch_sequences
        self.seed = seed
        self._pass_number = -1
        self._permutation = np.empty(0, dtype=np.int64)

    def indices(self, step: int) -> np.ndarray:
        """int64 [batch_sequences]: the sequences of step `step` (0-based)."""
        first = step * self.batch_sequences
        return np.array([self._index(position) for position in range(first, first + self.batch_sequences)], dtype=np.int64)

    def _index(self, position: int) -> int:
        pass_number, offset = divmod(position, self.n_sequences)
        if pass_number != self._pass_number:
            self._permutation = generator(self.seed, "batch order", pass_number).permutation(self.n_sequences)
            self._pass_number = pass_number
        return int(self._permutation[offset])

"""Counts the token n-grams that each of some texts shares with a file, exactly: no hashing into bands, so that nothing is missed.

in: texts, sorted distinct n-grams of a file (see shingles)   out: per text the number of its n-grams that the file has too
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snowcoder.deduplication.shingles import shingle


@dataclass(frozen=True)
class NgramIndex:
    """All distinct n-grams of some texts, sorted, and who has them: owners[starts[k]:starts[k + 1]] have grams[k].

    sizes: int[n], distinct n-grams of each text, never 0.
    """

    grams: np.ndarray
    starts: np.ndarray
    owners: np.ndarray
    sizes: np.ndarray

    def shared_with(self, grams: np.ndarray) -> np.ndarray:
        """int[n]: n-grams that each text has in common with a file of `grams`."""
        places = np.minimum(np.searchsorted(self.grams, grams), self.grams.size - 1)
        known = places[self.grams[places] == grams]
        spans = [self.owners[self.starts[place] : self.starts[place + 1]] for place in known.tolist()]
        return np.bincount(np.concatenate(spans), minlength=self.sizes.size) if spans else np.zeros(self.sizes.size, dtype=np.int64)


def index_ngrams(texts: Sequence[str], ngram_tokens: int) -> NgramIndex:
    """The index of one or more texts."""
    shingles = [shingle(text, ngram_tokens) for text in texts]
    owners = np.repeat(np.arange(len(shingles)), [part.size for part in shingles])
    everything = np.concatenate(shingles)
    order = np.lexsort((owners, everything))
    grams, starts = np.unique(everything[order], return_index=True)
    sizes = np.array([part.size for part in shingles])
    return NgramIndex(grams, np.append(starts, everything.size), owners[order], sizes)

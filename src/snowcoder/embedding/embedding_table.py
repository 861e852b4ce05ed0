"""The table that embed_files writes and the annotators read: one row per section, sorted by file, then section, within a shard.

  file_id     string
  source      string   corpus | high_quality | instruction
  repository  string
  language    string
  split       string   train | held_out; positives train the annotators and are `train`
  n_bytes     int64    of the whole file
  licence, path, content_sha256  string
  section     int8     0 top, 1 middle, 2 bottom
  embedding   fixed_size_list<float32, D>, of length 1; D = 384 for all-MiniLM-L6-v2
The first shards are those of the corpus, the last ones those of the positives.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

CORPUS = "corpus"
FILE_COLUMNS = ["file_id", "source", "repository", "language", "split", "n_bytes", "licence", "path", "content_sha256"]


def embedding_schema(dimensions: int) -> pa.Schema:
    """Columns of data/embed_files for an encoder of `dimensions`."""
    described = [(name, pa.int64() if name == "n_bytes" else pa.string()) for name in FILE_COLUMNS]
    return pa.schema([*described, ("section", pa.int8()), ("embedding", pa.list_(pa.float32(), dimensions))])


def embeddings_of(table: pa.Table) -> np.ndarray:
    """Column `embedding` as float64 [rows, D]."""
    # Parquet keeps no fixed size of a list: the number of dimensions follows from the rows
    return table["embedding"].combine_chunks().flatten().to_numpy().astype(np.float64).reshape(len(table), -1)


@dataclass(frozen=True)
class SectionVectors:
    """embeddings: float64 [sections, D], sorted by file, then section; starts: where each file begins. Files as in the list of examples."""

    embeddings: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Number of sections of each file."""
        return np.diff(np.append(self.starts, len(self.embeddings)))

    def take(self, places: np.ndarray) -> "SectionVectors":
        """Of the files at `places`, in their order."""
        sizes = self.sizes[places]
        starts = np.cumsum(sizes) - sizes
        rows = np.arange(sizes.sum()) + np.repeat(self.starts[places] - starts, sizes)
        return SectionVectors(self.embeddings[rows], starts)

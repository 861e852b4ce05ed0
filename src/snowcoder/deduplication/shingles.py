"""Turns code into a set of token n-grams, each a 64-bit number.

Tokens are identifiers, numbers and single punctuation marks, in their case (see kernels): normalising them away, as for prose, removes what
sets code apart. A file of fewer tokens than one n-gram is one shingle, the hash of all its tokens: an empty set would make all short files
alike (the defect of bigcode-dataset and text-dedup that deleted all but one of them).
"""

import numpy as np
import pyarrow as pa

from snowcoder.deduplication.kernels import MULTIPLIER, count_shared, keep_distinct, text_shingles


def shingle(content: str, ngram_tokens: int) -> np.ndarray:
    """The set of a file's shingles: sorted distinct uint64, never empty. Different n-grams collide with probability ~2**-64."""
    return shingle_bytes(np.frombuffer(content.encode("utf-8", "surrogatepass"), dtype=np.uint8), ngram_tokens)


def shingle_bytes(text: np.ndarray, ngram_tokens: int) -> np.ndarray:
    """`shingle` of UTF-8 bytes (uint8)."""
    shingles = text_shingles(text, ngram_tokens)
    shingles.sort()
    return shingles[: keep_distinct(shingles)]


def text_buffer(contents: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 bytes end to end, int64[n + 1] starts) of a string column without nulls, not copied where it is one chunk."""
    column = contents.cast(pa.large_string()).combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # no chunk at all
        column = pa.array([], pa.large_string())
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1] if offsets else np.zeros(1, np.int64)
    return np.frombuffer(data, dtype=np.uint8) if data else np.empty(0, dtype=np.uint8), starts


def ngram_hashes(token_hashes: np.ndarray, n: int) -> np.ndarray:
    """uint64[len - n + 1] (empty if shorter): the hash of the n-gram that starts at each position, polynomial modulo 2**64."""
    count = len(token_hashes) - n + 1
    if count < 1:
        return np.empty(0, dtype=np.uint64)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(n):
        hashes = hashes * MULTIPLIER + token_hashes[offset : offset + count]
    return hashes


def jaccard(left: np.ndarray, right: np.ndarray) -> float:
    """Exact Jaccard of two shingle sets (sorted, distinct)."""
    shared = count_shared(left, right)
    return shared / (left.size + right.size - shared)

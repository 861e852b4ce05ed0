"""Code as a set of token n-grams, each a 64-bit number.

Tokens are identifiers, numbers and single punctuation marks, in their case: normalising them away, as for prose, removes what tells
code apart. A file of fewer tokens than one n-gram is one shingle, the hash of all its tokens: an empty set would make all short files alike
(the defect of bigcode-dataset and text-dedup that deleted all but one of them).
"""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

CODE_TOKEN = re.compile(r"\w+|[^\w\s]")
# Odd, so that multiplication modulo 2**64 loses nothing: 2**64 / golden ratio.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def shingle(content: str, ngram_tokens: int) -> np.ndarray:
    """The set of a file's shingles: sorted distinct uint64, never empty. Different n-grams collide with probability ~2**-64."""
    tokens = CODE_TOKEN.findall(content)
    if len(tokens) < ngram_tokens:
        return np.array([_hash("\0".join(["short file", *tokens]))], dtype=np.uint64)
    return np.unique(ngram_hashes(hash_tokens(tokens), ngram_tokens))


def hash_tokens(tokens: Sequence[str]) -> np.ndarray:
    """uint64[len(tokens)]: the same on every machine."""
    numbers = {token: _hash(token) for token in set(tokens)}
    return np.fromiter((numbers[token] for token in tokens), dtype=np.uint64, count=len(tokens))


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
    shared = np.intersect1d(left, right, assume_unique=True).size
    return shared / (left.size + right.size - shared)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")

"""The unigram model: token frequencies of the training text, without context. A trained model that learned word order beats it.

in: texts   out: counts; bits of encoded texts
"""

from collections.abc import Iterable, Sequence

import numpy as np
from tokenizers import Tokenizer

from snowcoder.likelihood.text_tokens import EncodedText


def count_tokens(tokenizer: Tokenizer, batches: Iterable[Sequence[str]]) -> np.ndarray:
    """int64 [vocab_size]: how often each id occurs in the texts."""
    size = max(tokenizer.get_vocab().values()) + 1
    counts = np.zeros(size, dtype=np.int64)
    for texts in batches:
        for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
            counts += np.bincount(np.array(encoding.ids, dtype=np.int64), minlength=size)
    return counts


def unigram_bits(counts: np.ndarray, texts: Sequence[EncodedText]) -> np.ndarray:
    """float64 [n]: bits of each text's charged ids under add-one smoothed frequencies; counts: int64 [vocab_size]."""
    smoothed = counts + 1.0
    bits_per_id = -np.log2(smoothed / smoothed.sum())
    return np.array([bits_per_id[text.charged].sum() for text in texts])

"""Counts the words and pairs of neighbouring words of texts, hashed into buckets.

in: texts   out: sparse float64 [texts, buckets]

A word is a run of letters, digits and underscores, or of other characters that are not blank, in lower case: what DSIR's tokenizer gives
(NLTK's wordpunct). The hash is MurmurHash3 (scikit-learn), the same on every machine.
"""

from collections.abc import Sequence

from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

WORD = r"(?u)\w+|[^\w\s]+"


def count_ngrams(texts: Sequence[str], buckets: int) -> csr_matrix:
    """Counts of single words and of pairs."""
    hashing = HashingVectorizer(token_pattern=WORD, ngram_range=(1, 2), n_features=buckets, alternate_sign=False, norm=None)
    return hashing.transform(texts)

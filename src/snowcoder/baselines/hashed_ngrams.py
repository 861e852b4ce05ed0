"""A linear classifier on hashed words and pairs of words, positives against ordinary files: what fastText is used for in data selection
(Joulin et al. 2017, arXiv 1607.01759; Li et al. 2024, DCLM, arXiv 2406.11794).

in: n-gram counts of examples, their folds   out: Classifiers; a score per file

Unlike fastText it has no embeddings between n-grams and output: with two classes they add no capacity. Counts of a file are scaled to
length 1, so that length is no feature; classes count equally, however many examples they have. One classifier per fold, fitted by SGD in
one thread with a fixed seed (scikit-learn): the same weights on every machine.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import normalize

from snowcoder.baselines.baseline_params import HashedNgramsParams
from snowcoder.seeding import derive_seed


@dataclass(frozen=True)
class Classifiers:
    """weights: float64 [folds, buckets]; biases: float64 [folds]."""

    weights: np.ndarray
    biases: np.ndarray

    def score(self, counts: csr_matrix, folds: np.ndarray) -> np.ndarray:
        """float64 [files]: log-odds by the classifier of the file's fold. counts: [files, buckets]."""
        scaled = normalize(counts)
        scores = np.zeros(counts.shape[0])
        for fold, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            scores[folds == fold] = scaled[folds == fold] @ weights + bias
        return scores


def fit_classifiers(
    counts: csr_matrix, is_positive: np.ndarray, folds: np.ndarray, n_folds: int, params: HashedNgramsParams, seed: int
) -> Classifiers:
    """The classifier of each fold, fitted on the examples that are not of the fold. counts: [examples, buckets]."""
    scaled = normalize(counts)
    fitted = [_fit(scaled[folds != fold], is_positive[folds != fold], params, derive_seed(seed, "sgd") % 2**32) for fold in range(n_folds)]
    return Classifiers(np.array([model.coef_[0] for model in fitted]), np.array([model.intercept_[0] for model in fitted]))


def _fit(scaled: csr_matrix, is_positive: np.ndarray, params: HashedNgramsParams, seed: int) -> SGDClassifier:
    # averaged weights: the last steps of SGD depend on the order of examples more than their mean
    model = SGDClassifier(
        loss="log_loss", alpha=params.l2, max_iter=params.epochs, tol=None, class_weight="balanced", average=True, random_state=seed
    )
    return model.fit(scaled, is_positive)

"""Calibrates a classifier's scores into log-odds that hold on repositories the head has not seen.

in: examples with their embeddings, a way to fit  out: slope and intercept; how far predicted and true values are apart

A head fitted on few examples in many dimensions is overconfident on files of repositories that it has not seen. Platt scaling (Platt
1999) fits probability = sigmoid(slope x score + intercept) on scores of examples that the head was not fitted on: PARTS parts of whole
repositories among the training examples. So the heads of several folds score on one scale. A head is linear and a file's score a mean of
its sections', so that scaled weights and bias are the calibrated head, and its ranking of files stays the same. Odds are those among the
examples, positives and negatives in equal parts, not those in the corpus.

A regression is on the scale of its labels as it is fitted, and is not scaled. Tried on 12 draws of the held-out repositories: the line from
its scores to held-out labels has a slope of 0.96 (0.53 to 1.32; 1 is calibrated), and a line fitted out of fold, as above, leaves the mean
absolute error at 0.820 instead of 0.816. label_agreement reports that line for each run.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedGroupKFold

from snowcoder.annotator.examples import Example
from snowcoder.annotator.head import mean_by_file
from snowcoder.embedding.embedding_table import SectionVectors

PARTS = 5
BINS = 10
Fit = Callable[[SectionVectors, Sequence[Example], np.ndarray], tuple[np.ndarray, float]]


def calibrate_head(fit: Fit, vectors: SectionVectors, examples: Sequence[Example]) -> tuple[float, float]:
    """(slope, intercept); (1, 0) where positives or negatives come from one repository, or where out-of-fold scores do not rank."""
    is_positive = np.array([example.is_positive for example in examples])
    repositories = np.array([example.repository for example in examples])
    n_parts = min(PARTS, len(set(repositories[is_positive])), len(set(repositories[~is_positive])))
    if n_parts < 2:
        return 1.0, 0.0
    scores = np.empty(len(examples))
    for kept, left_out in StratifiedGroupKFold(n_parts).split(repositories, is_positive, repositories):
        if len(set(is_positive[kept])) < 2:
            return 1.0, 0.0
        mask = np.zeros(len(examples), dtype=bool)
        mask[kept] = True
        weights, bias = fit(vectors, examples, mask)
        scores[left_out] = mean_by_file((vectors.embeddings * weights).sum(axis=1) + bias, vectors.starts)[left_out]
    return fit_platt(scores, is_positive)


def fit_platt(scores: np.ndarray, is_positive: np.ndarray) -> tuple[float, float]:
    """(slope, intercept) of greatest likelihood; (1, 0) if the slope is not above 0, as it would turn the ranking round.

    Where every positive scores above every negative, no finite slope is the likeliest. Then Platt's own targets are fitted, which are
    inside of 0 and 1 by as much as so many examples leave open.
    """
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=100)
    if scores[is_positive].min() > scores[~is_positive].max():
        n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
        targets = np.where(is_positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
        twice = np.concatenate([scores, scores]).reshape(-1, 1)
        model.fit(twice, np.repeat([True, False], len(scores)), sample_weight=np.concatenate([targets, 1 - targets]))
    else:
        model.fit(scores.reshape(-1, 1), is_positive)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return (slope, intercept) if slope > 0 else (1.0, 0.0)


def label_agreement(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """slope, intercept: of the line of least squares from scores to labels (Cox 1958), 1 and 0 if they are calibrated. bins: those with
    files, by the whole label that the score is nearest to."""
    spread = float(scores.var())
    slope = float(((scores - scores.mean()) * (labels - labels.mean())).mean()) / spread if spread > 0 else 0.0
    nearest = np.rint(scores).astype(int)
    bins = [
        {
            "files": int((nearest == value).sum()),
            "mean_score": float(scores[nearest == value].mean()),
            "mean_label": float(labels[nearest == value].mean()),
        }
        for value in sorted(set(nearest.tolist()))
    ]
    return {"slope": slope, "intercept": float(labels.mean()) - slope * float(scores.mean()), "bins": bins}


def reliability(probabilities: np.ndarray, is_positive: np.ndarray) -> dict[str, Any]:
    """brier: mean squared error of the probabilities (0.25 for a coin). expected_calibration_error: mean distance between the probability
    predicted and the share of positives, over BINS bins of equal width, by their files. bins: those with files."""
    indices = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    bins = [
        {
            "files": int((indices == index).sum()),
            "mean_probability": float(probabilities[indices == index].mean()),
            "positive_fraction": float(is_positive[indices == index].mean()),
        }
        for index in sorted(set(indices.tolist()))
    ]
    error = sum(one["files"] * abs(one["mean_probability"] - one["positive_fraction"]) for one in bins) / len(probabilities)
    return {"brier": float(brier_score_loss(is_positive, probabilities)), "expected_calibration_error": error, "bins": bins}

"""Judges the heads of all folds together, each on the examples of its own fold, of whose repositories it saw no file (see cross_fitting).

in: examples, their cross-fitted scores  out: metrics, points of the ROC and of the precision-recall curve
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from snowcoder.annotator.calibration import label_agreement, reliability
from snowcoder.annotator.cross_fitting import CrossFit
from snowcoder.annotator.examples import Example
from snowcoder.annotator.head import Head

CURVE_POINTS = 201
HEADLINES = ("roc_auc", "average_precision", "roc_auc_of_length_alone", "n_positive", "n_negative", "mean_absolute_error", "spearman")
# metrics, [CURVE_POINTS, 2] of false and true positive rate, [CURVE_POINTS, 2] of recall and precision
HeadJudgement = tuple[dict[str, Any], np.ndarray, np.ndarray]


def judge_scores(head: Head, scores: np.ndarray, plan: CrossFit) -> HeadJudgement:
    """scores: of the judged examples of `plan`, each by its fold's head for judging; head: any head, for what all share."""
    is_positive = np.array([example.is_positive for example in plan.judged])
    length_auc = float(roc_auc_score(is_positive, [example.n_bytes for example in plan.judged]))
    metrics = {
        "roc_auc": float(roc_auc_score(is_positive, scores)),
        "average_precision": float(average_precision_score(is_positive, scores)),
        "positive_fraction": float(is_positive.mean()),
        "roc_auc_of_length_alone": max(length_auc, 1 - length_auc),
        "roc_auc_by_kind": _auc_by_kind(plan.judged, scores),
        "kind": head.kind,
        "labeller": head.labeller,
        **_counts(plan.judged),
        "by_fold": [_of_fold(plan, fold, scores) for fold in range(plan.folds.n)],
    }
    if head.kind == "regression":
        targets = np.array([example.target for example in plan.judged])
        metrics |= {"mean_absolute_error": float(np.abs(scores - targets).mean()), "spearman": float(spearmanr(scores, targets).statistic)}
        metrics["calibration"] = label_agreement(scores, targets)
    else:
        metrics["calibration"] = reliability(expit(scores), is_positive)
    return metrics, _roc_points(is_positive, scores), _precision_points(is_positive, scores)


def write_curves(folder: Path, judgement: HeadJudgement) -> None:
    """roc.csv and precision_recall.csv."""
    _, roc, precision_recall = judgement
    write_curve(folder / "roc.csv", ("fpr", "tpr"), roc)
    write_curve(folder / "precision_recall.csv", ("recall", "precision"), precision_recall)


def write_curve(path: Path, columns: tuple[str, str], points: np.ndarray) -> None:
    """CSV of two columns, ascending in the first: roc.csv (fpr, tpr), precision_recall.csv (recall, precision)."""
    rows = [f"{x:.6f},{y:.6f}" for x, y in points]
    path.write_text("\n".join([",".join(columns), *rows]) + "\n")


def _auc_by_kind(judged: Sequence[Example], scores: np.ndarray) -> dict[str, float]:
    """Each source of positives against all negatives."""
    aucs = {}
    for kind in sorted({example.kind for example in judged if example.is_positive}):
        chosen = [index for index, example in enumerate(judged) if example.kind == kind or not example.is_positive]
        aucs[kind] = float(roc_auc_score([judged[index].is_positive for index in chosen], scores[chosen]))
    return aucs


def _of_fold(plan: CrossFit, fold: int, scores: np.ndarray) -> dict[str, Any]:
    """How a fold's head does on the fold; roc_auc is None where the fold lacks one of the classes."""
    judged = plan.judged_in(fold)
    is_positive = np.array([example.is_positive for example in judged], dtype=bool)
    n_positive = int(is_positive.sum())
    return {
        "repositories": len({example.repository for example in judged}),
        "n_positive": n_positive,
        "n_negative": len(judged) - n_positive,
        "roc_auc": float(roc_auc_score(is_positive, scores[plan.judged_folds == fold])) if 0 < n_positive < len(judged) else None,
    }


def _counts(examples: Sequence[Example]) -> dict[str, Any]:
    counts: dict[str, Any] = {"n_by_kind": {}, "n_by_language": {}}
    for name, is_positive in (("n_positive", True), ("n_negative", False)):
        members = [example for example in examples if example.is_positive == is_positive]
        counts[name] = len(members)
        for example in members:
            _increment(counts["n_by_kind"], example.kind)
            _increment(counts["n_by_language"].setdefault(example.language, {}), name)
    counts["repositories"] = len({example.repository for example in examples})
    return counts


def _increment(counter: dict[str, int], key: str) -> None:
    counter[key] = counter.get(key, 0) + 1


def _roc_points(is_positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The curve at CURVE_POINTS equally spaced false positive rates: its highest point at each, so that vertical steps are kept."""
    fpr, tpr, _ = roc_curve(is_positive, scores, drop_intermediate=False)
    grid = np.linspace(0.0, 1.0, CURVE_POINTS)
    reached = np.searchsorted(fpr, grid, side="right") - 1
    return np.column_stack([grid, tpr[reached]])


def _precision_points(is_positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The best precision at each of CURVE_POINTS equally spaced recalls, or at any higher recall."""
    precision, recall, _ = precision_recall_curve(is_positive, scores)
    precision, recall = precision[::-1], recall[::-1]  # recall ascending
    best = np.maximum.accumulate(precision[::-1])[::-1]
    grid = np.linspace(0.0, 1.0, CURVE_POINTS)
    return np.column_stack([grid, best[np.searchsorted(recall, grid, side="left")]])

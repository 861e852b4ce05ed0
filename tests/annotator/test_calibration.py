"""Calibration: finds Platt's slope, keeps the ranking, corrects an overconfident head; reliability computed by hand."""

import numpy as np
import pytest
from scipy.special import expit

from snowcoder.annotator.calibration import calibrate_head, fit_platt, label_agreement, reliability
from snowcoder.annotator.examples import Example
from snowcoder.embedding.embedding_table import SectionVectors
from snowcoder.seeding import generator

DIMENSIONS = 40


def examples_of(n_files: int, n_repositories: int, draws: np.random.Generator) -> tuple[SectionVectors, list[Example], np.ndarray]:
    """One section a file; the first dimension says something of the class, the others are noise. Also: what is positive."""
    is_positive = draws.random(n_files) < 0.5
    embeddings = draws.normal(size=(n_files, DIMENSIONS))
    embeddings[:, 0] += 1.0 * is_positive
    examples = [
        Example(f"{index:04d}", f"r{index % n_repositories}", "python", 100, "x", float(positive), bool(positive))
        for index, positive in enumerate(is_positive)
    ]
    return SectionVectors(embeddings, np.arange(n_files)), examples, is_positive


def fit_by_least_squares(vectors: SectionVectors, examples: list[Example], mask: np.ndarray) -> tuple[np.ndarray, float]:
    """An overconfident head: interpolates what it can, times ten."""
    targets = np.array([2.0 * example.is_positive - 1.0 for example in examples])
    weights, *_ = np.linalg.lstsq(vectors.embeddings[mask], targets[mask], rcond=None)
    return 10.0 * weights, 0.0


def test_platt_finds_the_slope_that_made_the_data() -> None:
    draws = generator(1, "platt")
    scores = draws.normal(size=20000) * 3
    slope, intercept = fit_platt(scores, draws.random(20000) < expit(0.5 * scores - 1.0))
    assert slope == pytest.approx(0.5, abs=0.03)
    assert intercept == pytest.approx(-1.0, abs=0.08)


def test_a_ranking_is_never_turned_round() -> None:
    assert fit_platt(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, False, True])) == (1.0, 0.0)


def test_separate_classes_leave_room_for_the_next_example() -> None:
    scores = np.concatenate([np.full(8, 1.0), np.full(8, -1.0)])
    slope, intercept = fit_platt(scores, scores > 0)
    assert expit(slope + intercept) == pytest.approx(9 / 10, abs=1e-4)  # 8 of 8: (8 + 1) / (8 + 2)
    assert expit(-slope + intercept) == pytest.approx(1 / 10, abs=1e-4)


def test_an_overconfident_head_is_believable_on_other_repositories_afterwards() -> None:
    vectors, examples, is_positive = examples_of(1200, 30, generator(2, "examples"))
    is_training = np.arange(1200) < 150
    weights, bias = fit_by_least_squares(vectors, examples, is_training)
    slope, intercept = calibrate_head(fit_by_least_squares, vectors.take(np.arange(150)), examples[:150])
    assert 0 < slope < 0.5
    scores = (vectors.embeddings @ weights + bias)[~is_training]
    before = reliability(expit(scores), is_positive[~is_training])
    after = reliability(expit(slope * scores + intercept), is_positive[~is_training])
    assert after["brier"] < before["brier"] - 0.05
    assert after["expected_calibration_error"] < before["expected_calibration_error"] / 2


def test_one_repository_cannot_be_calibrated() -> None:
    vectors, examples, _ = examples_of(20, 1, generator(3, "examples"))
    assert calibrate_head(fit_by_least_squares, vectors, examples) == (1.0, 0.0)


def test_hand_computed_agreement_with_labels() -> None:
    # labels are 2 x score + 1, but for two that cancel out
    line = label_agreement(np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 2.0, 4.0, 5.0]))
    assert (line["slope"], line["intercept"]) == pytest.approx((2.0, 1.0))
    found = label_agreement(np.array([0.9, 1.2, 3.0, 2.9]), np.array([1.0, 2.0, 3.0, 2.0]))
    assert found["bins"] == [
        {"files": 2, "mean_score": pytest.approx(1.05), "mean_label": 1.5},
        {"files": 2, "mean_score": pytest.approx(2.95), "mean_label": 2.5},
    ]


def test_hand_computed_reliability() -> None:
    found = reliability(np.array([0.05, 0.05, 1.0, 0.95]), np.array([False, True, True, True]))
    assert found["bins"] == [
        {"files": 2, "mean_probability": pytest.approx(0.05), "positive_fraction": 0.5},
        {"files": 2, "mean_probability": pytest.approx(0.975), "positive_fraction": 1.0},
    ]
    assert found["expected_calibration_error"] == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)
    assert found["brier"] == pytest.approx((0.05**2 + 0.95**2 + 0.05**2) / 4)

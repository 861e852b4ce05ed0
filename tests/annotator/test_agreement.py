"""Agreement of recipes: hand-computed ranks, overlaps and areas; the files at either end."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from snowcoder.annotator.agreement import describe_alignment, extremes, name_extremes, overlaps, rank_correlations, roc_auc
from snowcoder.seeding import generator


def scored(scores: list[float], languages: list[str]) -> pa.Table:
    n = len(scores)
    return pa.table(
        {
            "file_id": [f"{index:03d}" for index in range(n)],
            "language": languages,
            "repository": ["r"] * n,
            "path": [f"{index}.py" for index in range(n)],
            "licence": ["MIT"] * n,
            "n_bytes": pa.array([100] * n, pa.int64()),
            "content_sha256": [hashlib.sha256(str(index).encode()).hexdigest() for index in range(n)],
            "score": pa.array(scores, pa.float64()),
        }
    )


def test_ranks_are_compared_within_a_language() -> None:
    languages = ["c", "c", "c", "python", "python", "python"]
    first = scored([1, 2, 3, 10, 20, 30], languages)
    moved = scored([101, 102, 103, 1, 2, 3], languages)  # another level per language, the same ranks
    turned = scored([3, 2, 1, 30, 20, 10], languages)
    found = rank_correlations({"EDU": first, "INS": moved, "HQ": turned})
    assert found["EDU and INS"] == pytest.approx(1.0)
    assert found["EDU and HQ"] == pytest.approx(-1.0)


def test_overlap_is_counted_in_tokens() -> None:
    a = pa.table({"file_id": ["x", "y"], "n_tokens": [30, 10]})
    b = pa.table({"file_id": ["x", "z"], "n_tokens": [30, 20]})
    assert overlaps({"HQ": a, "INS": b, "EDU": a}) == {"HQ and INS": 0.5, "HQ and EDU": 1.0, "INS and EDU": 0.5}


def test_the_ends_and_their_names() -> None:
    ends = extremes({"HQ": scored([float(index % 30) for index in range(60)], ["python"] * 60)})
    rows = ends.to_pylist()
    assert [row["score"] for row in rows[:10]] == [29, 29, 28, 28, 27, 27, 26, 26, 25, 25]
    assert [row["score"] for row in rows[10:]] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [row["place"] for row in rows] == [*range(1, 11), *range(1, 11)]
    assert name_extremes(ends)["HQ"]["lowest"][0].endswith("(0.00, python, 100 bytes)")


def test_the_area_is_that_of_scikit_learn_ties_included() -> None:
    draws = generator(1, "areas")
    positives, negatives = draws.integers(0, 6, 40).astype(float), draws.integers(0, 5, 70).astype(float)
    expected = roc_auc_score([1] * 40 + [0] * 70, np.concatenate([positives, negatives]))
    assert roc_auc(positives, negatives) == pytest.approx(expected)
    unseen = {"HQ": negatives}
    assert describe_alignment({"HQ": {"humaneval": positives}}, unseen) == {"HQ": {"humaneval": pytest.approx(expected)}}

"""Agreement of recipes: hand-computed ranks, overlaps and areas; the files with extreme scores."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from snowcoder.seeding import generator
from snowcoder.selection.recipe_agreement import (
    describe_alignment,
    extremes,
    name_extremes,
    overlaps,
    rank_correlations,
    repository_variances,
    roc_auc,
)


def scored(scores: list[float], languages: list[str], repositories: list[str] | None = None) -> pa.Table:
    n = len(scores)
    return pa.table(
        {
            "file_id": [f"{index:03d}" for index in range(n)],
            "language": languages,
            "repository": repositories or ["r"] * n,
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


def test_variance_between_repositories_by_hand() -> None:
    # means 1 and 4: SS within 2 + 2 = 4 over 4 degrees of freedom, SS total 4 + 6 * 1.5^2 = 17.5 over 5
    table = scored([0, 1, 2, 3, 4, 5], ["python"] * 6, ["a", "a", "a", "b", "b", "b"])
    assert repository_variances({"HQ": table})["HQ"] == {
        "between_repositories": pytest.approx(1 - (4 / 4) / (17.5 / 5)),
        "within_repositories": pytest.approx((4 / 4) / (17.5 / 5)),
        "sorts_repositories": False,
        "repositories": 2,
        "files": 6,
    }


def test_a_recipe_that_knows_only_the_repository_is_warned_of() -> None:
    table = scored([0, 0.1, 5, 5.1, 9, 9.1], ["python"] * 6, ["a", "a", "b", "b", "c", "c"])
    found = repository_variances({"HQ": table})["HQ"]
    assert found["sorts_repositories"]
    assert found["within_repositories"] < 0.01


def test_languages_are_not_taken_for_repositories() -> None:
    levels = scored([0, 1, 0, 1, 100, 101, 100, 101], ["c"] * 4 + ["python"] * 4, ["a", "a", "b", "b", "d", "d", "e", "e"])
    assert repository_variances({"HQ": levels})["HQ"]["between_repositories"] == 0


def test_noise_in_many_small_repositories_is_not_between_them() -> None:
    draws = generator(3, "variance")
    table = scored(draws.normal(size=2000).tolist(), ["python"] * 2000, [f"r{index // 2}" for index in range(2000)])
    assert repository_variances({"HQ": table})["HQ"]["between_repositories"] < 0.1


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0], []])
def test_shares_that_cannot_be_told_are_none(scores: list[float]) -> None:
    repositories = ["a", "a", "b", "b"] if scores[:2] == [1.0, 1.0] else [f"r{index}" for index in range(len(scores))]
    found = repository_variances({"HQ": scored(scores, ["python"] * len(scores), repositories)})["HQ"]
    assert found["between_repositories"] is found["within_repositories"] is None
    assert not found["sorts_repositories"]

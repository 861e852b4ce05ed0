"""Bootstrap over seeds and items: hand-computed differences, the sources of width, and how often the interval holds the truth."""

import numpy as np
import pytest

from snowcoder.seeding import generator
from snowcoder.statistics.nested import bootstrap_over_seeds


def width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def test_hand_computed_difference() -> None:
    # means over seeds 3, 4 and 1, 2; of weights 2 and 2: 7/4 - 3/4
    difference, interval = bootstrap_over_seeds([[2, 4], [4, 4]], [[1, 2]], [2, 2], seed=1)
    assert difference == pytest.approx(1.0)
    assert interval[0] <= 1.0 <= interval[1]


def test_without_any_spread_the_interval_is_a_point() -> None:
    assert bootstrap_over_seeds(np.full((3, 5), 2.0), np.full((2, 5), 1.0), np.ones(5), seed=1) == (1.0, (1.0, 1.0))


def test_seeds_widen_the_interval_beyond_that_of_the_items() -> None:
    items = generator(1, "items").normal(size=(1, 50))
    same = np.repeat(items, 3, axis=0)
    moved = same + np.array([[-1.0], [0.0], [1.0]])
    other = np.zeros((3, 50))
    _, of_items = bootstrap_over_seeds(same, other, np.ones(50), seed=1)
    _, of_both = bootstrap_over_seeds(moved, other, np.ones(50), seed=1)
    assert width(of_both) > 1.5 * width(of_items)


def test_items_are_shared_so_that_what_both_find_hard_cancels() -> None:
    hard = generator(2, "hard").normal(size=(1, 60)) * 10
    first, second = np.repeat(hard + 0.5, 3, axis=0), np.repeat(hard, 3, axis=0)
    difference, interval = bootstrap_over_seeds(first, second, np.ones(60), seed=1)
    assert difference == pytest.approx(0.5)
    assert width(interval) < 1e-9


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draws = generator(3, "coverage")
    held = 0
    for trial in range(100):
        first, second = (draws.normal(size=(8, 1)) * 0.3 + draws.normal(size=(8, 80)) for _ in range(2))
        _, (low, high) = bootstrap_over_seeds(first + 1.0, second, np.ones(80), seed=trial, resamples=300)
        held += low <= 1.0 <= high
    assert 84 <= held <= 100


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = generator(4, "a").normal(size=(3, 9)), generator(4, "b").normal(size=(3, 9))
    assert bootstrap_over_seeds(first, second, np.ones(9), seed=5) == bootstrap_over_seeds(first, second, np.ones(9), seed=5)


@pytest.mark.parametrize(
    ("first", "second", "weights"), [(np.ones((0, 2)), np.ones((1, 2)), [1, 1]), ([[1.0]], [[1.0, 2.0]], [1]), ([[1.0]], [[1.0]], [0])]
)
def test_what_cannot_be_compared_is_refused(first: np.ndarray, second: np.ndarray, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="bootstrap_over_seeds"):
        bootstrap_over_seeds(first, second, weights, seed=1)

"""The factor by which overlapping draws understate what a new pool would change: by hand, and by simulated pools."""

import numpy as np
import pytest

from snowcoder.experiment.overlap import overlap_factor


@pytest.mark.parametrize(("shared", "draws", "factor"), [(0.0, 5, 1.0), (0.25, 5, (2 / 0.75) ** 0.5), (0.5, 3, 2.0), (1.0, 3, None)])
def test_by_hand(shared: float, draws: int, factor: float | None) -> None:
    assert overlap_factor(shared, draws) == pytest.approx(factor)


def test_simulated_pools_vary_as_much() -> None:
    """The best 30 of a random half of 400 files, three draws of each of 1500 pools."""
    draws = np.random.default_rng(1)
    means = np.empty((1500, 3))
    for row in means:
        values = draws.normal(size=400)  # files in the order of a score that says nothing about them
        row[:] = [values[np.flatnonzero(draws.random(400) < 0.5)[:30]].mean() for _ in row]
    shown = (means.var(axis=1, ddof=1).mean() / 3) ** 0.5
    assert means.mean(axis=1).std() / shown == pytest.approx(overlap_factor(0.5, 3), rel=0.1)


@pytest.mark.parametrize(("shared", "draws"), [(-0.1, 2), (1.1, 2), (0.5, 0)])
def test_what_is_no_share_is_refused(shared: float, draws: int) -> None:
    with pytest.raises(ValueError, match="overlap_factor"):
        overlap_factor(shared, draws)

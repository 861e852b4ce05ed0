"""The smallest detectable difference: a closed formula for many runs, and a simulation for few."""

import numpy as np
import pytest

from snowcoder.statistics.block_model import block_design, fit_blocks
from snowcoder.statistics.power import smallest_detectable


def test_with_many_runs_it_is_the_sum_of_two_normal_quantiles() -> None:
    """1.95996 + 0.84162 standard errors."""
    assert smallest_detectable(0.01, 10**6, 0.05) == pytest.approx(0.0280158, abs=1e-6)
    assert smallest_detectable(0.01, 10**6, 0.05, power=0.9) == pytest.approx(0.0324151, abs=1e-6)


def test_it_is_found_in_eighty_of_a_hundred_experiments() -> None:
    arms, blocks, spread = list("abc") * 3, [block for block in range(3) for _ in range(3)], 0.02
    design = block_design(arms, blocks)
    error = spread * float(np.linalg.norm(design.contrast("a", "b")))
    assert error == pytest.approx(spread * (2 / 3) ** 0.5)
    shift = smallest_detectable(error, design.degrees_of_freedom, 0.05)
    draws = np.random.default_rng(2)
    found = 0
    for _ in range(2000):
        values = draws.normal(scale=spread, size=9) + np.array([shift if arm == "a" else 0.0 for arm in arms])
        p_value = fit_blocks(arms, blocks, values).difference("a", "b").p_value
        assert p_value is not None
        found += p_value <= 0.05
    assert found / 2000 == pytest.approx(0.8, abs=0.025)


def test_fewer_runs_and_more_claims_see_less() -> None:
    seen = [smallest_detectable(1.0, df, 0.05) for df in (1, 2, 5, 50)]
    assert seen == sorted(seen, reverse=True)
    assert smallest_detectable(1.0, 5, 0.05 / 4) > seen[2]


def test_no_degree_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        smallest_detectable(1.0, 0, 0.05)

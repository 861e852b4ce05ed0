"""How often the machine is sampled."""

import pytest

from snowcoder.tracking.system import interval_s


@pytest.mark.parametrize(("elapsed_s", "expected"), [(0, 2.0), (100, 2.0), (1000, 20.0), (86400, 60.0)])
def test_samples_become_rarer(elapsed_s: float, expected: float) -> None:
    assert interval_s(elapsed_s) == expected

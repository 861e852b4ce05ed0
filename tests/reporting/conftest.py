"""Made-up results of a whole experiment, in the stages' formats."""

from pathlib import Path

import pytest

from snowcoder.reporting.results import Results, read_results
from tests.reporting.fabricate import PARAMS, fabricate


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fabricate(tmp_path)
    return tmp_path


@pytest.fixture
def results(root: Path) -> Results:
    return read_results(PARAMS, root)

"""Fixtures for all tests: every test gets its own work folder, and a tracking fault is an error."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# One thread per process: on a busy machine torch's threads wait for each other, and tiny models gain nothing from a second one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test fails for the time it took: other programs may have the processor.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path_factory.mktemp("work")))
    monkeypatch.setenv("SNOWCODER_TRACKING_STRICT", "1")
    monkeypatch.setenv("SNOWCODER_TRACKING", "local")
    for name in ("DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole pipeline first: it takes as long as everything else together, and with two workers runs next to it."""
    items.sort(key=lambda item: item.path.name != "test_pipeline.py")


@pytest.fixture(scope="session")
def repository_root() -> Path:
    """Root of the checkout under test."""
    return Path(__file__).resolve().parents[1]

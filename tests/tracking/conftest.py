"""A separate work folder for every test; no mirror unless a test asks for one."""

from pathlib import Path

import pytest


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(folder))
    monkeypatch.setenv("SNOWCODER_TRACKING", "local")
    monkeypatch.setenv("SNOWCODER_TRACKING_STRICT", "1")
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "DVC_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("pretrain: {shared: {}, variants: {general: {seed: 7, learning_rate: 1e-05}}}\n")
    return folder

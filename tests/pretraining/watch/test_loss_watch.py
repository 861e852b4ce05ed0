"""A loss that is not finite ends the run and names the batch's files; an outlier is reported."""

import math
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.errors import TrainingError
from snowcoder.pretraining.watch.loss_watch import MIN_SPIKE_NATS, WINDOW_STEPS, LossWatch
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.provenance import PROVENANCE_SCHEMA
from tests.pretraining.watch.steps import make_step


@pytest.fixture
def provenance(tmp_path: Path) -> Path:
    rows = [
        {"sequence": sequence, "offset": 0, "n_tokens": 4, "file_id": path, "repository": "r", "path": path, "language": "python"}
        | {"byte_start": 0, "byte_end": 4}
        for sequence, path in ((0, "a.py"), (1, "a.py"), (1, "b.py"), (2, "c.py"))
    ]
    write_table(tmp_path / "provenance", [pa.Table.from_pylist(rows, PROVENANCE_SCHEMA)], PROVENANCE_SCHEMA)
    return tmp_path / "provenance"


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (2.0, math.nan)])
def test_a_loss_that_is_no_number_ends_the_run(provenance: Path, loss: float, norm: float) -> None:
    with pytest.raises(TrainingError, match=r"step 7: loss .*Files of the batch: r/a\.py, r/b\.py\. Lower the peak learning rate"):
        LossWatch(provenance).see(make_step(7, loss, norm, [1, 0]))


def test_a_spike_is_told_with_its_files(provenance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = LossWatch(provenance)
    for step in range(WINDOW_STEPS):
        watch.see(make_step(step + 1, 3.0 + 0.01 * (step % 5)))
    assert capsys.readouterr().err == ""
    watch.see(make_step(WINDOW_STEPS + 1, 3.0 + MIN_SPIKE_NATS + 0.1, 9.0, [2]))
    said = capsys.readouterr().err
    assert "step 51: loss 3.600 stands out" in said
    assert "Files of the batch: r/c.py." in said


def test_noise_and_a_slow_rise_are_not_told(provenance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = LossWatch(provenance)
    for step in range(400):
        watch.see(make_step(step + 1, 3.0 + 0.004 * step + 0.2 * math.sin(7.0 * step)))
    assert capsys.readouterr().err == ""


def test_without_files_the_step_alone_is_named() -> None:
    with pytest.raises(TrainingError, match=r"step 1: loss nan, gradient norm 1\.0; allowed: finite numbers\. Lower"):
        LossWatch(None).see(make_step(1, math.nan))

"""Reading the stages' metrics: by path, with errors that name file and key."""

from pathlib import Path

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.results import Results, headline_metrics, input_paths, read_results
from snowcoder.tracking.record import METRIC_NAME
from tests.reporting.fabricate import PARAMS


def test_every_input_is_read_and_nothing_else(root: Path) -> None:
    stale = root / "metrics/pretrain/an_arm_of_last_year.json"
    stale.write_text("not even JSON")
    read_results(PARAMS, root)
    inputs = [path / "manifest.json" if (root / path).is_dir() else path for path in input_paths(PARAMS)]
    for path in inputs:
        content = (root / path).read_bytes()
        (root / path).unlink()
        with pytest.raises(SnowcoderError, match=str(path)):
            read_results(PARAMS, root)
        (root / path).write_bytes(content)


def test_missing_key_names_file_and_key(results: Results) -> None:
    with pytest.raises(SnowcoderError, match=r"metrics/pretrain/general\.json: loss: missing \(found: final_loss, first_loss"):
        results.trained["general"]("loss")


def test_broken_curve_names_the_file(root: Path) -> None:
    path = root / "models/pretrain/general/loss_curve.csv"
    path.write_text("step,tokens,learning_rate,train_loss\n1,8192,0.1,high\n")
    with pytest.raises(SnowcoderError, match=r"general/loss_curve\.csv: cannot be read as a curve"):
        read_results(PARAMS, root)
    path.write_text("step,loss\n1,2\n")
    with pytest.raises(SnowcoderError, match="expected rows with the columns tokens, train_loss; found step, loss"):
        read_results(PARAMS, root)


def test_headline_metrics_of_all_models_have_names_that_mlflow_takes(results: Results) -> None:
    metrics = headline_metrics(results)
    assert next(iter(metrics)) == "enhanced/validation/bits_per_byte"
    assert metrics["continued/validation/bits_per_byte"] == 1.71
    assert metrics["general/humaneval/pass_at_1"] == 0.0
    assert metrics["annotator/HQINS/roc_auc"] == 0.902
    assert "initial/humaneval/bits_per_byte" in metrics
    assert all(METRIC_NAME.fullmatch(name) for name in metrics)

"""The record on disk: its content, how it survives a kill, and that it never affects the run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snowcoder.errors import ParameterError
from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.tracking import record as tracking
from snowcoder.tracking.record import track

KILLED_RUN = """
import os, signal
from snowcoder.tracking.record import track
with track("pretrain", "general", "f00d") as record:
    for step in range(3):
        record.log({"train/loss": 4.0 - step}, step=step)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def records(work: Path) -> list[Path]:
    return sorted((work / "tracking").glob("*.jsonl"))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_killed(code: str = KILLED_RUN) -> None:
    environment = os.environ | {"PYTHONPATH": str(SOURCE_ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == -signal.SIGKILL


def test_record_holds_start_metrics_and_end(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "brave-newt")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0123abc")
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 2.5}, step=10)
        record.log({"val/bits_per_byte": 1})
    (path,) = records(work)
    start, *middle, end = lines(path)
    assert start["type"] == "start"
    assert start["name"] == "general: pretrain"
    assert start["record_id"] == path.stem
    assert start["params"] == {"seed": 7, "learning_rate": 1e-05}
    expected = {"stage": "pretrain", "item": "general", "experiment_name": "brave-newt", "baseline_rev": "0123abc", "fingerprint": "f00d"}
    assert expected.items() <= start["tags"].items()
    logged = [entry for entry in middle if entry["type"] == "metrics"]
    assert [(entry["step"], entry["metrics"]) for entry in logged] == [(10, {"train/loss": 2.5}), (None, {"val/bits_per_byte": 1.0})]
    assert (end["type"], end["status"]) == ("end", "FINISHED")
    assert end["peak_memory_bytes"] > 2**20


def test_even_a_short_run_has_a_system_sample_under_mlflow_s_names(work: Path) -> None:
    with track("report", None, "f00d"):
        pass
    (sample,) = [entry for entry in lines(records(work)[0]) if entry["type"] == "system"]
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= sample["metrics"].keys()


@pytest.mark.parametrize(("error", "status"), [(ZeroDivisionError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_errors_of_the_run_pass_through_and_end_the_record(work: Path, error: type[BaseException], status: str) -> None:
    with pytest.raises(error), track("pretrain", "general", "f00d"):
        raise error
    assert lines(records(work)[0])[-1]["status"] == status


def test_killed_run_goes_on_in_the_same_record(work: Path) -> None:
    run_killed()
    (path,) = records(work)
    assert lines(path)[-1]["type"] != "end"
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 0.5}, step=3)
    assert records(work) == [path]
    entries = lines(path)
    assert [entry["type"] for entry in entries].count("start") == 2
    assert [entry["step"] for entry in entries if entry["type"] == "metrics"] == [0, 1, 2, 3]
    assert entries[-1]["status"] == "FINISHED"


def test_a_record_cut_off_in_the_middle_of_a_line_stays_readable(work: Path) -> None:
    run_killed()
    (path,) = records(work)
    with path.open("a") as file:
        file.write('{"type": "metr')
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 0.5}, step=3)
    assert [entry["step"] for entry in lines(path) if entry["type"] == "metrics"] == [0, 1, 2, 3]


def test_other_fingerprints_and_parameters_and_finished_runs_get_a_record_of_their_own(work: Path) -> None:
    run_killed()
    with track("pretrain", "general", "beef"):
        pass
    with track("pretrain", "general", "f00d"):  # the killed one's
        pass
    with track("pretrain", "general", "f00d"):
        pass
    Path("params.yaml").write_text("pretrain:\n  general: {seed: 8}\n")
    with track("pretrain", "general", "f00d"):
        pass
    assert len(records(work)) == 4


def test_a_killed_run_is_resumed_under_another_name_of_dvc_s(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_killed()
    monkeypatch.setenv("DVC_EXP_NAME", "lazy-toad")
    with track("pretrain", "general", "f00d"):
        pass
    (path,) = records(work)
    assert [entry["tags"]["experiment_name"] for entry in lines(path) if entry["type"] == "start"] == ["workspace", "lazy-toad"]


def test_record_of_a_living_writer_is_not_taken(work: Path) -> None:
    with track("pretrain", "general", "f00d"), track("pretrain", "general", "f00d"):
        assert len(records(work)) == 2


def test_summary_of_the_same_fingerprint_is_one_record(work: Path) -> None:
    for value in (1.0, 2.0):
        with track("report", None, "f00d", summary=True) as record:
            record.log({"general/humaneval/pass_at_1": value})
    (path,) = records(work)
    start = lines(path)[0]
    assert (start["name"], start["tags"]["summary"]) == ("unknown", "true")  # no Git: no commit that names it


def test_off_writes_nothing(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_TRACKING", "off")
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 1.0})
    assert not work.exists()


@pytest.mark.parametrize("metrics", [{"pass@1": 0.5}, {"loss": "high"}])
def test_metric_that_cannot_be_kept_is_an_error_when_strict(work: Path, metrics: dict) -> None:
    with track("pretrain", "general", "f00d") as record, pytest.raises(ValueError, match=r"pass@1|high"):
        record.log(metrics)


def test_faults_are_counted_and_reported_but_touch_nothing(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SNOWCODER_TRACKING_STRICT")
    with track("pretrain", "general", "f00d") as record:
        record.log({"pass@1": 0.5})
        record.log({"train/loss": 0.5})
    assert record.faults == 1
    assert "1 faults" in capsys.readouterr().err
    assert lines(records(work)[0])[-1]["type"] == "end"


def test_folder_that_cannot_be_written_does_not_stop_the_run(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SNOWCODER_TRACKING_STRICT")
    work.write_text("a file where the folder should be")
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 0.5})
    assert record.faults == 1
    assert "tracking: 1 faults" in capsys.readouterr().err


def test_unknown_mode_is_named(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_TRACKING", "wandb")
    with pytest.raises(ParameterError, match="found 'wandb'; allowed: mlflow, local, off"), track("pretrain", "general", "f00d"):
        pass


def test_without_mlflow_only_the_record_is_written(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_TRACKING", "mlflow")
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    with track("pretrain", "general", "f00d"):
        pass
    assert [path.suffix for path in (work / "tracking").iterdir()] == [".jsonl"]


def test_the_stage_s_process_never_imports_mlflow(work: Path) -> None:
    code = KILLED_RUN.replace("os.kill(os.getpid(), signal.SIGKILL)", "import sys; assert not {'mlflow', 'dvc'} & sys.modules.keys()")
    environment = os.environ | {"PYTHONPATH": str(SOURCE_ROOT), "SNOWCODER_TRACKING": "mlflow", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0

"""The mirror against a real database and a real server: nothing lost or doubled, whatever is killed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.tracking.mirror import RecordMirror, sync
from snowcoder.tracking.record import track
from snowcoder.tracking.records import is_being_written, list_records
from snowcoder.tracking.store import EXPERIMENT, Store, tracking_uri

RUN = """
import time
from pathlib import Path
HOLD = Path("hold")
from snowcoder.tracking.record import track
with track("pretrain", "general", "f00d") as record:
    for step in range({steps}):
        record.log({{"train/loss": 4.0 - step / 100}}, step=step)
        time.sleep({pause_s})
    while HOLD.exists():
        time.sleep(0.1)
"""
HOLD = Path("hold")  # while it exists, a run of RUN does not end


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once: making it takes seconds."""
    folder = tmp_path_factory.mktemp("database")
    Store(folder)
    return folder / "mlflow.db"


@pytest.fixture
def store(work: Path, empty_database: Path) -> Path:
    """The work folder, with a database in it."""
    work.mkdir()
    shutil.copy(empty_database, work / "mlflow.db")
    return work


def runs(work: Path, uri: str | None = None) -> list[Run]:
    """The runs of stages."""
    return [run for run in all_runs(work, uri) if "summary" not in run.data.tags]


def all_runs(work: Path, uri: str | None = None) -> list[Run]:
    client = MlflowClient(uri or tracking_uri(work))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    found = client.search_runs([experiment.experiment_id]) if experiment else []
    return [client.get_run(run.info.run_id) for run in found]  # a search leaves out models


def experiments(work: Path) -> list[Run]:
    """The rows of the list: the runs without a parent."""
    return [run for run in all_runs(work) if "mlflow.parentRunId" not in run.data.tags]


def history(work: Path, run: Run, metric: str, uri: str | None = None) -> list[tuple[int, float, int]]:
    points = MlflowClient(uri or tracking_uri(work)).get_metric_history(run.info.run_id, metric)
    return [(point.step, point.value, point.timestamp) for point in points]


def start_run(steps: int, pause_s: float = 0.0, mode: str = "local") -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(SOURCE_ROOT), "SNOWCODER_TRACKING": mode}
    return subprocess.Popen([sys.executable, "-c", RUN.format(steps=steps, pause_s=pause_s)], env=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.2)


def has_step(work: Path, step: int) -> bool:
    return any(f'"step": {step}' in path.read_text() for path in work.glob("tracking/*.jsonl"))


def statuses(work: Path) -> list[str]:
    return [run.info.status for run in runs(work)]


def test_replay_keeps_names_params_tags_steps_and_times(store: Path) -> None:
    before_ms = int(time.time() * 1000)
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 2.5, "train/tokens": 100}, step=10)
        record.log({"train/loss": float("nan")}, step=11)
    after_ms = int(time.time() * 1000)
    assert sync(store) == (1, 0, "")
    (run,) = runs(store)
    assert (run.info.run_name, run.info.status) == ("general: pretrain", "FINISHED")
    assert run.data.params == {"seed": "7", "learning_rate": "1e-05"}
    assert run.data.tags["experiment_name"] == "workspace"
    (first, second) = sorted(history(store, run, "train/loss"))
    assert first[:2] == (10, 2.5)
    assert second[1] != second[1]
    assert before_ms <= first[2] <= after_ms
    assert before_ms <= run.info.start_time <= run.info.end_time <= after_ms
    assert {"system/cpu_utilization_percentage", "run/wall_s"} <= run.data.metrics.keys()


def test_replaying_again_adds_nothing_even_if_mlflow_does_not_say_how_far_it_is(store: Path) -> None:
    with track("pretrain", "general", "f00d", [Path("models/initialize_model"), Path("data/pack_tokens/general")]) as record:
        for step in range(5):
            record.log({"train/loss": 4.0 - step, "eval/bits": 1.0}, step=step)
        record.log_model(store, Path("models/pretrain/general"))
    sync(store)
    before = [(run.data.metrics, run.inputs, run.outputs) for run in all_runs(store)]
    for run in all_runs(store):
        MlflowClient(tracking_uri(store)).set_tag(run.info.run_id, "copied_bytes", "0")
    assert sync(store) == (1, 0, "")
    assert [(run.data.metrics, run.inputs, run.outputs) for run in all_runs(store)] == before
    assert len(history(store, runs(store)[0], "train/loss")) == 5


def test_a_lost_database_is_filled_again_and_a_deleted_run_stays_deleted(store: Path, empty_database: Path) -> None:
    with track("pretrain", "general", "f00d"):
        pass
    sync(store)
    shutil.copy(empty_database, store / "mlflow.db")
    sync(store)
    (run,) = runs(store)
    MlflowClient(tracking_uri(store)).delete_run(run.info.run_id)
    assert sync(store) == (1, 0, "")
    assert runs(store) == []


def test_killed_and_resumed_run_is_one_run(store: Path) -> None:
    run = start_run(steps=3, pause_s=0.5)
    wait_until(lambda: has_step(store, 1))
    run.kill()
    run.wait()
    sync(store)
    assert statuses(store) == ["KILLED"]
    assert [row.info.status for row in experiments(store)] == ["KILLED"]
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 1.0}, step=9)
    sync(store)
    (found,) = runs(store)
    assert found.info.status == "FINISHED"
    assert {0, 1, 9} <= {step for step, _, _ in history(store, found, "train/loss")}


def test_a_run_that_is_being_written_is_not_killed_by_a_sync(store: Path) -> None:
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 1.0}, step=1)
        sync(store)
        assert statuses(store) == ["RUNNING"]
    sync(store)
    assert statuses(store) == ["FINISHED"]


def test_records_from_another_machine_are_copied_and_one_without_an_end_was_killed(store: Path) -> None:
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 2.0}, step=1)
    (path,) = (store / "tracking").glob("*.jsonl")
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines() if '"type": "end"' not in line))
    assert sync(store) == (1, 0, "")
    assert statuses(store) == ["KILLED"]


def test_a_damaged_record_is_reported_and_does_not_hold_up_the_others(store: Path) -> None:
    for fingerprint in ("aaaa", "bbbb"):
        with track("pretrain", "general", fingerprint):
            pass
    damaged = min((store / "tracking").glob("*aaaa*.jsonl"))
    damaged.write_text(damaged.read_text().replace('{"type": "end"', '{"type": "e', 1))
    records, left, fault = sync(store)
    assert (records, left) == (2, 2)  # what comes before the damaged line
    assert str(damaged) in fault
    assert "FINISHED" in statuses(store)


def test_refused_port_leaves_everything_for_later(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with track("pretrain", "general", "f00d"):
        pass
    (path,) = (store / "tracking").glob("*.jsonl")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    n_records, left, fault = sync(store)
    assert (n_records, left) == (1, len(path.read_text().splitlines()))
    assert "refused" in fault.lower() or "Max retries" in fault
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert sync(store) == (1, 0, "")


def test_a_record_that_mlflow_refuses_does_not_hold_up_the_others(store: Path) -> None:
    for fingerprint in ("aaaa", "bbbb"):
        with track("pretrain", "general", fingerprint) as record:
            record.log({"train/loss": 1.0}, step=1)
    first = min((store / "tracking").glob("*aaaa*.jsonl"))
    first.write_text(first.read_text().replace('"train/loss"', '"train@loss"'))
    n_records, left, fault = sync(store)
    assert n_records == 2
    assert left > 0
    assert "train@loss" in fault
    assert {run.data.tags["fingerprint"]: run.info.status for run in runs(store)}["bbbb"] == "FINISHED"


def test_the_stage_starts_a_mirror_that_follows_it_and_ends_with_it(store: Path, empty_database: Path) -> None:
    HOLD.touch()
    run = start_run(steps=40, mode="mlflow")
    wait_until(lambda: statuses(store) == ["RUNNING"])
    HOLD.unlink()
    assert run.wait() == 0
    wait_until(lambda: statuses(store) == ["FINISHED"])
    (found,) = runs(store)
    assert len(history(store, found, "train/loss")) == 40
    assert found.info.artifact_uri.startswith((empty_database.parent / "mlartifacts").as_uri())  # not the current folder
    wait_until(lambda: not list(store.glob("tracking/*.log")))  # the mirror has nothing to report and has gone


def test_the_mirror_of_a_killed_stage_says_so_in_mlflow_and_ends(store: Path) -> None:
    HOLD.touch()
    run = start_run(steps=3, mode="mlflow")
    wait_until(lambda: statuses(store) == ["RUNNING"])
    run.kill()
    run.wait()
    wait_until(lambda: statuses(store) == ["KILLED"])
    wait_until(lambda: not list(store.glob("tracking/*.log")))


def test_a_server_that_hangs_does_not_hold_up_the_stage(
    store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("SNOWCODER_TRACKING", "mlflow")
        logs = store / "tracking"
        with track("pretrain", "general", "f00d") as record:
            record.log({"train/loss": 1.0}, step=1)
            wait_until(lambda: any("fault: " in path.read_text() for path in logs.glob("*.log")))
            began = time.monotonic()
        assert time.monotonic() - began < 5  # a sample of the machine may be under way
        assert "`make sync-tracking` copies it" in capfd.readouterr().err


def test_mirrors_that_start_together_make_one_experiment(store: Path) -> None:
    started = [start_run(steps=4, pause_s=0.5, mode="mlflow") for _ in range(3)]
    assert [run.wait() for run in started] == [0, 0, 0]
    wait_until(lambda: statuses(store) == ["FINISHED"] * 3)
    (row,) = experiments(store)
    assert {run.data.tags["mlflow.parentRunId"] for run in runs(store)} == {row.info.run_id}


def test_an_experiment_that_is_resumed_under_another_name_is_one_row(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brave-newt", "lazy-toad", ""):
        monkeypatch.setenv("DVC_EXP_NAME", name)
        with track("pretrain", name or "general", "f00d"):
            pass
    with track("report", None, "f00d", summary=True) as record:
        record.log({"general/humaneval/pass_at_1": 0.5})
    sync(store)
    (row,) = experiments(store)
    assert (row.info.status, row.data.metrics) == ("FINISHED", {"general/humaneval/pass_at_1": 0.5})
    assert row.data.params == {"pretrain.variants.general.seed": "7", "pretrain.variants.general.learning_rate": "1e-05"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs(store)} == {row.info.run_id}


def test_a_mirror_that_is_late_does_not_reopen_its_experiment(store: Path) -> None:
    with track("measure_bits_per_byte", "general", "f00d"):
        pass
    with track("report", None, "f00d", summary=True):
        pass
    mlflow = Store(store)
    for record in reversed(list_records(store)):
        RecordMirror(record).copy(mlflow)
    (row,) = experiments(store)
    assert row.info.status == "FINISHED"


def test_other_parameters_are_another_experiment(store: Path) -> None:
    for seed in (7, 8):
        Path("params.yaml").write_text(f"pretrain:\n  general: {{seed: {seed}}}\n")
        with track("pretrain", "general", "f00d"):
            pass
    sync(store)
    assert len(experiments(store)) == 2


def test_a_second_summary_has_the_newest_values(store: Path) -> None:
    for value in (0.25, 0.5):
        with track("report", None, "f00d", summary=True) as record:
            record.log({"general/humaneval/pass_at_1": value})
        sync(store)
    (row,) = experiments(store)
    assert row.data.metrics["general/humaneval/pass_at_1"] == 0.5


def test_data_model_score_and_report_are_linked(store: Path) -> None:
    for folder in ("data/pack_tokens/general", "data/fetch_benchmarks", "models/pretrain/general"):
        Path(folder).mkdir(parents=True)
        (Path(folder) / "content").write_text(folder)
    report = Path("report.html")
    report.write_text("<p>scores</p>")
    model = Path("models/pretrain/general")
    with track("pretrain", "general", "f00d", [Path("data/pack_tokens/general"), Path("params.yaml")]) as record:
        record.log_model(model, model)
    entries = [json.loads(line) for path in store.glob("tracking/pretrain*") for line in path.read_text().splitlines()]
    digest = next(entry["digest"] for entry in entries if entry["type"] == "model")
    Path("dvc.lock").write_text(
        f"stages:\n  pretrain@general:\n    outs:\n    - path: {model}\n      hash: md5\n      md5: {digest}\n"
        f"      size: {len(str(model))}\n      nfiles: 1\n"
    )
    with track("execute_completions", "general", "f00d", [Path("data/fetch_benchmarks"), model]) as record:
        record.log({"eval/humaneval/pass_at_1": 0.5})
    with track("report", None, "f00d", [Path("data/fetch_benchmarks"), model], summary=True) as record:
        record.log_artifact(report)
    sync(store)
    client = MlflowClient(tracking_uri(store))
    (row,) = experiments(store)
    (logged,) = client.search_logged_models([row.info.experiment_id])
    assert (logged.name, logged.tags["path"], logged.tags["digest"]) == ("general", str(model), digest)
    assert [(metric.key, metric.value) for metric in logged.metrics] == [("eval/humaneval/pass_at_1", 0.5)]
    named = {run.info.run_name: run for run in all_runs(store)}
    assert logged.source_run_id == named["general: pretrain"].info.run_id
    assert [one.dataset.name for one in named["general: pretrain"].inputs.dataset_inputs] == ["pack_tokens/general"]
    assert [one.model_id for one in named["general: execute_completions"].inputs.model_inputs] == [logged.model_id]
    assert [one.model_id for one in row.outputs.model_outputs] == [logged.model_id]
    assert row.data.tags[str(model)] == digest[:8]
    assert [file.path for file in client.list_artifacts(row.info.run_id)] == ["report.html"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """(address, [running server]); start_server(address, …) starts it again on the same database."""
    address = f"http://127.0.0.1:{free_port()}"
    running = [start_server(address, tmp_path)]
    yield address, running
    for process in running:
        stop_server(process)


def start_server(address: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", address.rpartition(":")[2]]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "artifacts")]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    wait_until(lambda: _listens(address))
    return process


def stop_server(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(address: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0


@pytest.mark.slow
def test_server_killed_in_the_middle_of_a_run_loses_nothing(
    work: Path, tmp_path: Path, server: tuple[str, list[subprocess.Popen[bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, running = server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    run = start_run(steps=40, pause_s=0.25, mode="mlflow")
    wait_until(lambda: runs(work, address) and history(work, runs(work, address)[0], "train/loss", address))
    stop_server(running.pop())
    assert run.wait(timeout=30) == 0
    running.append(start_server(address, tmp_path))
    (path,) = work.glob("tracking/*.jsonl")
    assert not is_being_written(path)
    wait_until(lambda: sync(work) == (1, 0, ""))  # a new server on a loaded machine may be slow to answer
    (found,) = runs(work, address)
    assert (found.info.status, len(history(work, found, "train/loss", address))) == ("FINISHED", 40)
    assert found.info.artifact_uri.startswith("mlflow-artifacts:")

"""The mirror against a real database and a real server: nothing lost, nothing twice, whatever is killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.tracking.mirror import Mirror, cursor_path, follow, mirror_lock, read_cursor, sync
from snowcoder.tracking.record import track
from snowcoder.tracking.store import EXPERIMENT, Store, tracking_uri

RUN = """
import time
from snowcoder.tracking.record import track
with track("pretrain", "general", "f00d") as record:
    for step in range({steps}):
        record.log({{"train/loss": 4.0 - step / 100}}, step=step)
        time.sleep({pause_s})
"""


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
    client = MlflowClient(uri or tracking_uri(work))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


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


def wait_until(condition, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.2)


def test_replay_keeps_names_params_tags_steps_and_times(store: Path) -> None:
    before_ms = int(time.time() * 1000)
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 2.5, "train/tokens": 100}, step=10)
        record.log({"train/loss": float("nan")}, step=11)
    after_ms = int(time.time() * 1000)
    assert sync(store) == (1, 0, "")
    (run,) = runs(store)
    assert (run.info.run_name, run.info.status) == ("pretrain@general", "FINISHED")
    assert run.data.params == {"pretrain.general.seed": "7", "pretrain.general.learning_rate": "1e-05"}
    assert run.data.tags["experiment_name"] == "workspace"
    (first, second) = sorted(history(store, run, "train/loss"))
    assert first[:2] == (10, 2.5)
    assert second[1] != second[1]
    assert before_ms <= first[2] <= after_ms
    assert before_ms <= run.info.start_time <= run.info.end_time <= after_ms
    assert {"system/cpu_utilization_percentage", "run/wall_s"} <= run.data.metrics.keys()


def test_replaying_again_adds_nothing_even_without_the_cursor(store: Path) -> None:
    with track("pretrain", "general", "f00d") as record:
        for step in range(5):
            record.log({"train/loss": 4.0 - step}, step=step)
    sync(store)
    for path in (store / "tracking").glob("*.cursor.json"):
        path.unlink()
    sync(store)
    (run,) = runs(store)
    assert len(history(store, run, "train/loss")) == 5


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
    wait_until(lambda: [path for path in store.glob("tracking/*.jsonl") if '"step": 1' in path.read_text()])
    run.kill()
    run.wait()
    sync(store)
    assert [found.info.status for found in runs(store)] == ["KILLED"]
    (store.parent / "params.yaml").write_text("pretrain:\n  general: {seed: 8, learning_rate: 1e-05}\nreport: {width: 1}\n")
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 1.0}, step=9)
    sync(store)
    (found,) = runs(store)
    assert found.info.status == "FINISHED"
    assert found.data.params["pretrain.general.seed"] == "7"
    assert found.data.params["report.width"] == "1"
    assert {0, 1, 9} <= {step for step, _, _ in history(store, found, "train/loss")}


def test_summary_is_one_run_with_the_newest_values(store: Path) -> None:
    for value in (0.25, 0.5):
        with track("report", None, "f00d", summary=True) as record:
            record.log({"general/humaneval/pass_at_1": value})
        sync(store)
    (run,) = runs(store)
    assert (run.info.run_name, run.data.tags["summary"]) == ("summary@workspace", "true")
    assert run.data.metrics["general/humaneval/pass_at_1"] == 0.5


def test_records_from_another_machine_are_copied(store: Path) -> None:
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/loss": 2.0}, step=1)
    (path,) = (store / "tracking").glob("*.jsonl")
    path.write_text(path.read_text().replace(f'"host": "{socket.gethostname()}"', '"host": "elsewhere"'))
    assert sync(store) == (1, 0, "")
    assert len(runs(store)) == 1


def test_unreadable_lines_are_counted_and_passed_over(store: Path) -> None:
    with track("pretrain", "general", "f00d"):
        pass
    (path,) = (store / "tracking").glob("*.jsonl")
    path.write_text(path.read_text().replace('{"type": "system"', '{"type": "syst\n{"type": "system"', 1))
    assert sync(store) == (1, 0, "")
    assert read_cursor(path, tracking_uri(store)).unreadable == 1


def test_refused_port_leaves_everything_for_later(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with track("pretrain", "general", "f00d"):
        pass
    (path,) = (store / "tracking").glob("*.jsonl")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    n_records, left, fault = sync(store)
    assert (n_records, left) == (1, len(path.read_text().splitlines()))
    assert "refused" in fault.lower() or "Max retries" in fault
    assert cursor_path(path).exists()
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


def test_only_one_mirror_works_at_a_time(store: Path) -> None:
    with track("pretrain", "general", "f00d"), mirror_lock(store):
        follow(store, idle_s=0.1)  # returns although the record is live
    assert runs(store) == []


def test_mirror_follows_a_living_run_and_ends_after_it(store: Path) -> None:
    run = start_run(steps=4, pause_s=0.5)
    wait_until(lambda: Mirror(store).look())
    follow(store, idle_s=0.1)
    assert run.wait() == 0
    (found,) = runs(store)
    assert (found.info.status, len(history(store, found, "train/loss"))) == ("FINISHED", 4)


@pytest.mark.slow
def test_stage_starts_the_mirror_and_does_not_wait_for_it(work: Path) -> None:
    assert start_run(steps=3, mode="mlflow").wait() == 0
    (path,) = (work / "tracking").glob("*.jsonl")
    wait_until(lambda: read_cursor(path, tracking_uri(work)).closed)
    (run,) = runs(work)
    assert run.info.artifact_uri.startswith((work / "mlartifacts").as_uri())
    wait_until(lambda: _is_free(work))


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


def _is_free(work: Path) -> bool:
    try:
        with mirror_lock(work):
            return True
    except TimeoutError:
        return False


@pytest.mark.slow
def test_server_killed_in_the_middle_of_a_run_loses_nothing(
    work: Path, tmp_path: Path, server: tuple[str, list[subprocess.Popen[bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, running = server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    run = start_run(steps=40, pause_s=0.25, mode="mlflow")
    wait_until(lambda: [path for path in work.glob("tracking/*.jsonl") if read_cursor(path, address).lines > 2])
    stop_server(running.pop())
    assert run.wait(timeout=30) == 0
    running.append(start_server(address, tmp_path))
    (path,) = work.glob("tracking/*.jsonl")
    wait_until(lambda: _is_free(work))
    sync(work)
    assert read_cursor(path, address).closed
    (found,) = runs(work, address)
    assert (found.info.status, len(history(work, found, "train/loss", address))) == ("FINISHED", 40)
    assert found.info.artifact_uri.startswith("mlflow-artifacts:")

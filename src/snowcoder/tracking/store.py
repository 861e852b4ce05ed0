"""Writes the entries of tracking records into MLflow. Only snowcoder.tracking.mirror and its tools import this, and so mlflow.

Every call may raise whatever MLflow's stores and transports raise; writing the same entries twice adds nothing.
"""

import os
import re
from pathlib import Path
from typing import Any

# Before the import: MLflow reads some of these then. Nobody waits for the mirror, but a server that is down should not hold it for minutes.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

from filelock import FileLock

# Ours before MLflow: a mirror started by an experiment runs the code of a temporary workspace, which may be gone when MLflow is loaded.
from snowcoder.tracking.records import Entry, records_folder

# isort: split
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

EXPERIMENT = "snowcoder"
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # or the pages would speak of traces and prompts
METRICS_PER_BATCH = 900  # MLflow takes 1000 entities at a time,
PARAMS_PER_BATCH = 100  # of them 100 params
MAX_PARAM_LENGTH = 6000


def tracking_uri(work: Path) -> str:
    """MLFLOW_TRACKING_URI, or the database in the work folder, by its absolute path."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{work.absolute() / 'mlflow.db'}"


class Store:
    """One MLflow, with our experiment in it."""

    def __init__(self, work: Path) -> None:
        self.uri = tracking_uri(work)
        self._client, self.experiment_id = _open(work, self.uri)

    def run_id(self, start: Entry) -> str | None:
        """The run that bears the record_id of this start line, or a new one; None if somebody has deleted it."""
        wanted = f"tags.record_id = '{start['record_id']}'"
        found = self._client.search_runs([self.experiment_id], wanted, run_view_type=ViewType.ALL)
        if found:
            active = [run.info.run_id for run in found if run.info.lifecycle_stage == "active"]
            return active[0] if active else None
        tags = _tags(start) | {"record_id": start["record_id"]}
        run = self._client.create_run(self.experiment_id, start_time=start["time"], tags=tags, run_name=start["name"])
        return str(run.info.run_id)

    def write(self, run_id: str, entries: list[Entry]) -> None:
        """Replay entries of one record, with their own times."""
        metrics = [metric for entry in entries for metric in _metrics(entry)]
        for first in range(0, len(metrics), METRICS_PER_BATCH):
            self._client.log_batch(run_id, metrics=metrics[first : first + METRICS_PER_BATCH])
        for entry in entries:
            if entry["type"] == "start":
                self._begin(run_id, entry)
            elif entry["type"] == "end":
                self.close(run_id, entry["status"], entry["time"])

    def close(self, run_id: str, status: str, time_ms: int) -> None:
        """End a run."""
        self._client.set_terminated(run_id, status, time_ms)

    def summary_run_ids(self, at_most: int) -> list[str]:
        """The newest summary runs, one for each experiment."""
        found = self._client.search_runs([self.experiment_id], "tags.summary = 'true'", order_by=["start_time DESC"], max_results=1000)
        newest: dict[str, str] = {}
        for run in found:
            newest.setdefault(run.data.tags["experiment_name"], run.info.run_id)
        return list(newest.values())[:at_most]

    def answers(self) -> bool:
        """Whether this MLflow can be reached."""
        try:
            return self._client.get_experiment(self.experiment_id) is not None
        except Exception:  # see the head of this file
            return False

    def _begin(self, run_id: str, start: Entry) -> None:
        """Tags and params of a run that begins or goes on. A param that the run has already stays as it is: MLflow refuses a change."""
        run = self._client.get_run(run_id)
        values = {_param_name(name): str(value)[:MAX_PARAM_LENGTH] for name, value in start["params"].items()}
        params = [Param(name, value) for name, value in values.items() if name not in run.data.params]
        for first in range(0, len(params), PARAMS_PER_BATCH):
            self._client.log_batch(run_id, params=params[first : first + PARAMS_PER_BATCH])
        self._client.log_batch(run_id, tags=[RunTag(name, value) for name, value in _tags(start).items()])
        if run.info.status != "RUNNING":
            self._client.update_run(run_id, status="RUNNING")


def _open(work: Path, uri: str) -> tuple[MlflowClient, str]:
    """Create database and experiment, one process at a time: two that migrate one new database together both fail."""
    records_folder(work).mkdir(parents=True, exist_ok=True)
    with FileLock(records_folder(work) / "store.lock"):
        client = MlflowClient(uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return client, experiment.experiment_id
        # a server knows its own place for artifacts; a database would take the current folder
        location = None if uri.startswith("http") else (work.absolute() / "mlartifacts").as_uri()
        return client, client.create_experiment(EXPERIMENT, artifact_location=location, tags=EXPERIMENT_TAGS)


def _metrics(entry: Entry) -> list[Metric]:
    if entry["type"] in ("metrics", "system"):
        return [Metric(name, value, entry["time"], entry["step"] or 0) for name, value in entry["metrics"].items()]
    if entry["type"] == "end":
        return [Metric(f"run/{name}", entry[name], entry["time"], 0) for name in ("wall_s", "peak_memory_bytes")]
    return []


def _tags(start: Entry) -> dict[str, Any]:
    """The record's tags, and the two from which MLflow's pages fill the columns Source and Version."""
    tags = start["tags"]
    return tags | {"mlflow.source.name": f"stages/{tags['stage']}.py", "mlflow.source.git.commit": tags["baseline_rev"]}


def _param_name(name: str) -> str:
    return re.sub(r"[^\w./ :-]", "_", name, flags=re.ASCII)

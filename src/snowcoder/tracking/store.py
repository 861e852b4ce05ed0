"""Writes the entries of tracking records into MLflow. Only snowcoder.tracking.mirror and tools import this, and so MLflow.

Every call may raise whatever MLflow's stores and transports raise; writing the same entries twice adds nothing.
A stage's run is a child of its experiment's summary run, which the first mirror creates. A model is a LoggedModel without files, found by
its name and digest.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

# Before the import: MLflow reads some of these then. Nobody waits for the mirror, but a server that is down should not hold it for minutes.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

from filelock import FileLock

# Ours before MLflow: a mirror started by an experiment runs the code of a temporary workspace, which may be gone when MLflow is loaded.
from snowcoder.storage.journal import Entry
from snowcoder.tracking.records import records_folder, summary_id

# isort: split
from mlflow import MlflowClient, entities

T = TypeVar("T")
EXPERIMENT = "snowcoder"
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # or the pages would show traces and prompts
METRICS_PER_BATCH = 900  # MLflow takes 1000 entities at a time,
PARAMS_PER_BATCH = 100  # of them 100 params
MAX_PARAM_LENGTH = 6000
COPIED_BYTES = "copied_bytes"
SHARED_TAGS = ("experiment", "experiment_name", "baseline_rev")  # of a stage's run and its parent
RECORD_TAGS = ("experiment_title", "params_digest")  # in the record alone


class MirroredRun(NamedTuple):
    """A run in MLflow. copied_bytes: of its record; parent_id: of its experiment; model_id: the one model that it scores."""

    run_id: str
    copied_bytes: int
    parent_id: str | None
    model_id: str | None


def tracking_uri(work: Path) -> str:
    """MLFLOW_TRACKING_URI, or the database in the work folder, by its absolute path."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{work.absolute() / 'mlflow.db'}"


class Store:
    """One MLflow, with our experiment in it."""

    def __init__(self, work: Path) -> None:
        self.uri = tracking_uri(work)
        self._folder = records_folder(work)
        self._folder.mkdir(parents=True, exist_ok=True)
        # What must be there once is created by one process at a time; two that migrate one new database together both fail.
        self._creating = FileLock(self._folder / "store.lock")
        self._client = MlflowClient(self.uri)
        with self._creating:
            self.experiment_id = self._find_experiment(work)

    def open_run(self, start: Entry) -> MirroredRun | None:
        """The run of a record and how far it was copied; a new one, with its parent, if there is none. None if a person has deleted it."""
        tags, parent = start["tags"], None
        with self._creating:
            if "summary" not in tags:
                shared = {name: tags[name] for name in SHARED_TAGS if name in tags}
                described = _tags(start | {"tags": shared | {"summary": "true"}, "inputs": []})
                parent = self._find_or_create(summary_id(tags["experiment"]), tags["experiment_title"], start["time"], described)
            child = {"mlflow.parentRunId": parent.info.run_id} if parent else {}
            run = self._find_or_create(start["record_id"], start["name"], start["time"], _tags(start) | child)
            models = [one for one in start["inputs"] if _is_model(one)]
            model_id = self._model_id(models[0]) if len(models) == 1 else None
        if run is None:
            return None
        return MirroredRun(run.info.run_id, int(run.data.tags.get(COPIED_BYTES, 0)), parent.info.run_id if parent else None, model_id)

    def write(self, run: MirroredRun, entries: list[Entry], copied_bytes: int) -> None:
        """Replay entries of one record, with their own times; then note how far that was."""
        metrics = [metric for entry in entries for metric in _metrics(entry, run)]
        for batch in _batches(metrics, METRICS_PER_BATCH):
            self._client.log_batch(run.run_id, metrics=batch)
        for entry in entries:
            if entry["type"] == "start":
                self._begin(run, entry)
            elif entry["type"] == "model":
                self._log_output(run, entry)
            elif entry["type"] == "artifact" and (self._folder / entry["file"]).exists():
                self._client.log_artifact(run.run_id, str(self._folder / entry["file"]))
            elif entry["type"] == "end":
                self.close(run, entry["status"], entry["time"])
        self._client.set_tag(run.run_id, COPIED_BYTES, copied_bytes)

    def close(self, run: MirroredRun, status: str, time_ms: int) -> None:
        """End a run. Its experiment has the status of the stage that ended last."""
        self._client.set_terminated(run.run_id, status, time_ms)
        if run.parent_id and (self._client.get_run(run.parent_id).info.end_time or 0) <= time_ms:
            self._client.set_terminated(run.parent_id, status, time_ms)

    def summaries(self, at_most: int) -> list[entities.Run]:
        """The summary runs of the newest experiments."""
        return list(
            self._client.search_runs([self.experiment_id], "tags.summary = 'true'", order_by=["start_time DESC"], max_results=at_most)
        )

    def share_view(self, name: str, columns: Sequence[str]) -> None:
        """Keep a choice of columns as a shared view of the list of runs, which its address names."""
        self._client.set_experiment_tag(self.experiment_id, f"mlflow.sharedViewState.{name}", json.dumps({"selectedColumns": columns}))

    def answers(self) -> bool:
        """Whether this MLflow can be reached."""
        try:
            return self._client.get_experiment(self.experiment_id) is not None
        except Exception:  # see the head of this file
            return False

    def _find_experiment(self, work: Path) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return str(experiment.experiment_id)
        # a server knows its own place for artifacts; a database would take the current folder
        location = None if self.uri.startswith("http") else (work.absolute() / "mlartifacts").as_uri()
        return str(self._client.create_experiment(EXPERIMENT, location, EXPERIMENT_TAGS))

    def _find_or_create(self, record_id: str, name: str, time_ms: int, tags: dict[str, Any]) -> entities.Run | None:
        """The run of that record; None if a person has deleted it."""
        found = self._client.search_runs([self.experiment_id], f"tags.record_id = '{record_id}'", run_view_type=entities.ViewType.ALL)
        if found:
            return next((run for run in found if run.info.lifecycle_stage == "active"), None)
        return self._client.create_run(self.experiment_id, time_ms, tags | {"record_id": record_id}, name)

    def _begin(self, run: MirroredRun, start: Entry) -> None:
        """Tags, params and inputs of a run that begins or resumes. A param that the run has stays as it is: MLflow refuses a change."""
        found = self._client.get_run(run.run_id)
        values = {
            re.sub(r"[^\w./ :-]", "_", name, flags=re.ASCII): str(value)[:MAX_PARAM_LENGTH] for name, value in start["params"].items()
        }
        params = [entities.Param(name, value) for name, value in values.items() if name not in found.data.params]
        for batch in _batches(params, PARAMS_PER_BATCH):
            self._client.log_batch(run.run_id, params=batch)
        self._client.log_batch(run.run_id, tags=[entities.RunTag(name, value) for name, value in _tags(start).items()])
        self._link(found, start["inputs"])
        self._client.update_run(run.run_id, status="RUNNING")
        # not where the mirror of a later stage was faster
        if run.parent_id and (self._client.get_run(run.parent_id).info.end_time or 0) <= start["time"]:
            self._client.update_run(run.parent_id, status="RUNNING")

    def _link(self, run: entities.Run, inputs: list[dict[str, Any]]) -> None:
        """Link a run with the data sets and models that it reads. An experiment made its models: the column Models shows those alone."""
        with self._creating:
            model_ids = [self._model_id(one) for one in inputs if _is_model(one)]
        if "summary" in run.data.tags:
            self._link_outputs(run, model_ids)
            model_ids = []
        known = {model.model_id for model in (run.inputs.model_inputs if run.inputs else [])}
        models = [entities.LoggedModelInput(model_id) for model_id in model_ids if model_id not in known]
        datasets = [entities.DatasetInput(_dataset(one)) for one in inputs if not _is_model(one)]
        if datasets or models:
            self._client.log_inputs(run.info.run_id, datasets, models)

    def _log_output(self, run: MirroredRun, model: Entry) -> None:
        made_by = self._client.get_run(run.run_id)
        with self._creating:
            model_id = self._model_id(model, made_by)
        self._link_outputs(made_by, [model_id])
        if run.parent_id:
            self._link_outputs(self._client.get_run(run.parent_id), [model_id])

    def _link_outputs(self, run: entities.Run, model_ids: list[str]) -> None:
        known = {output.model_id for output in (run.outputs.model_outputs if run.outputs else [])}
        new = [entities.LoggedModelOutput(model_id, step=0) for model_id in model_ids if model_id not in known]
        if new:
            self._client.log_outputs(run.info.run_id, new)

    def _model_id(self, model: dict[str, Any], made_by: entities.Run | None = None) -> str:
        """The LoggedModel of a model's path and digest; a new one if there is none."""
        path = Path(model["path"])
        wanted = f"name = '{path.name}' AND tags.digest = '{model['digest']}'"
        found = self._client.search_logged_models([self.experiment_id], wanted, max_results=1)
        if found:
            return str(found[0].model_id)
        tags = {"path": model["path"], "digest": model["digest"], "n_bytes": str(model["n_bytes"])}
        source = {"source_run_id": made_by.info.run_id, "params": made_by.data.params} if made_by else {}
        created = self._client.create_logged_model(self.experiment_id, path.name, tags=tags, model_type=path.parts[1], **source)
        self._client.finalize_logged_model(created.model_id, entities.LoggedModelStatus.READY)
        return str(created.model_id)


def _batches(items: list[T], size: int) -> Iterator[list[T]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def _is_model(described: dict[str, Any]) -> bool:
    return bool(described["path"].startswith("models/"))


def _dataset(described: dict[str, Any]) -> entities.Dataset:
    profile = {f"num_{name}": described[key] for name, key in (("rows", "rows"), ("bytes", "n_bytes")) if key in described}
    source = {name: described[name] for name in ("path", "digest")}
    name, digest = described["path"].removeprefix("data/"), _short(described["digest"])
    columns = [{"name": column, "type": kind, "required": True} for column, kind in described.get("columns", [])]
    schema = json.dumps({"mlflow_colspec": columns}) if columns else None
    return entities.Dataset(name, digest, "dvc", json.dumps(source), schema, json.dumps(profile))


def _short(digest: str) -> str:
    """As much of a digest as MLflow's pages have room for; source and tags of data sets and models have all of it."""
    return digest.removeprefix("sha256:")[:8]


def _metrics(entry: Entry, run: MirroredRun) -> list[entities.Metric]:
    """Scores are also those of the model that the run scores."""
    if entry["type"] in ("metrics", "system"):
        named, step = entry["metrics"], entry["step"] or 0
    elif entry["type"] == "end" and run.parent_id:
        named, step = {f"run/{name}": entry[name] for name in ("wall_s", "peak_memory_bytes")}, 0
    else:
        return []
    scored = {name: run.model_id if name.startswith("eval/") else None for name in named}
    return [entities.Metric(name, value, entry["time"], step, model_id=scored[name], run_id=run.run_id) for name, value in named.items()]


def _tags(start: Entry) -> dict[str, Any]:
    """The record's tags, the digests of its inputs, and what MLflow's pages show in the columns Source and Version."""
    tags = {name: value for name, value in start["tags"].items() if name not in RECORD_TAGS}
    source = "dvc.yaml" if "summary" in tags else f"stages/{tags['stage']}.py"
    inputs = {one["path"]: _short(one["digest"]) for one in start["inputs"]}
    return tags | inputs | {"mlflow.source.name": source, "mlflow.source.git.commit": tags["baseline_rev"]}

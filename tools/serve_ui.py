"""Serves MLflow's pages over this repository's runs on 127.0.0.1 until Ctrl-C: `make ui`, or `make ui PORT=5001`.

With MLFLOW_TRACKING_URI set to a server's address there is nothing to serve: only its pages are named.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from snowcoder.pipeline.stage import run_tool, work_dir
from snowcoder.reporting.summary import write_missing_summaries
from snowcoder.tracking.mirror import sync
from snowcoder.tracking.records import records_folder
from snowcoder.tracking.store import Store, tracking_uri

if TYPE_CHECKING:
    from mlflow.entities import Run

MOST_COMPARED = 20
STARTS_WITHIN_S = 120.0
VIEW = "scores"
HEADLINE = "/validation/bits_per_byte"
MOST_SCORES = 6


def page_urls(base: str, store: Store) -> dict[str, str]:
    """The pages that there are: title -> address."""
    experiment, training = f"{base}/#/experiments/{store.experiment_id}", "workflowType=machine_learning"
    summaries = store.summaries(MOST_COMPARED)
    store.share_view(VIEW, score_columns(summaries))
    pages = {"experiments": f"{experiment}/runs?viewStateShareKey={VIEW}&{training}", "models": f"{experiment}/models?{training}"}
    if len(summaries) > 1:
        run_ids = urllib.parse.quote(json.dumps([run.info.run_id for run in summaries]))
        pages["compared"] = f"{base}/#/compare-runs?runs={run_ids}&experiments=%5B%22{store.experiment_id}%22%5D&{training}"
    return pages


def score_columns(summaries: Sequence["Run"]) -> list[str]:
    """Columns that say which data, which models, what scores: of the newest experiment that has scores."""
    scores = next((sorted(run.data.metrics) for run in summaries if run.data.metrics), [])
    chosen = [name for name in scores if name.endswith(HEADLINE)] or scores
    return ["attributes.`Dataset`", "attributes.`Models`", *(f"metrics.`{name}`" for name in chosen[:MOST_SCORES])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="port on 127.0.0.1 (default 5000)")
    port = parser.parse_args().port
    if not 0 < port < 65536:
        parser.error(f"--port: found {port}; allowed: 1 to 65535")
    work = work_dir()
    served = not tracking_uri(work).startswith("http")
    if served:
        refuse_taken(port)
    store = open_store(work)
    if not served:
        print_pages(store.uri.rstrip("/"), store)
        return
    process = start_server(store.uri, port, records_folder(work) / "ui.log")
    try:
        wait_until_it_listens(process, port, records_folder(work) / "ui.log")
        print_pages(f"http://127.0.0.1:{port}", store)
        process.wait()
        sys.exit(f"error: the server has ended; {records_folder(work) / 'ui.log'} says why")
    except KeyboardInterrupt:
        print("\rstopped")
    finally:
        stop_server(process)


def open_store(work: Path) -> Store:
    """MLflow with all records in it. Exits if it cannot be read."""
    from mlflow.exceptions import MlflowException  # after snowcoder.tracking.store, which says how mlflow is to be imported

    write_missing_summaries()
    sync(work)
    try:
        return Store(work)
    except MlflowException as error:
        reason = str(error).split("\n")[0][:300]
        advice = f"the records are in {records_folder(work)}; they are served from here if MLFLOW_TRACKING_URI is not set"
        sys.exit(f"error: {tracking_uri(work)}: cannot be read ({reason}); {advice}")


def print_pages(base: str, store: Store) -> None:
    for title, url in page_urls(base, store).items():
        print(f"{title + ':':<13}{url}", flush=True)


def refuse_taken(port: int) -> None:
    """Exit if another program listens on the port: its pages would look like ours."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            advice = f"another program (or `make ui`) may use it; choose another port: make ui PORT={port % 65535 + 1}"
            sys.exit(f"error: 127.0.0.1:{port}: {error.strerror}; {advice}")


def start_server(uri: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start MLflow's server in another process group, so that Ctrl-C reaches this process alone."""
    signal.signal(signal.SIGTERM, _interrupt)
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # no jobs here: half the memory
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--backend-store-uri", uri, "--host", "127.0.0.1"]
    with log.open("wb") as file:
        return subprocess.Popen([*command, "--port", str(port)], stdout=file, stderr=file, env=environment, start_new_session=True)


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Exit if the server ends instead."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            last = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-5:])
            sys.exit(f"error: 127.0.0.1:{port}: MLflow's server did not start; the end of {log}:\n{last}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)


def stop_server(process: subprocess.Popen[bytes]) -> None:
    """End the server and its workers."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    run_tool(main)

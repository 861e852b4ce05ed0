"""Serves MLflow's pages over this repository's runs on 127.0.0.1, and says where experiments are compared. `--port` chooses another port.

With MLFLOW_TRACKING_URI set to a server's address there is nothing to serve: only the address is told.
"""

import argparse
import json
import os
import socket
import sys
import urllib.parse

from filelock import Timeout

from snowcoder.pipeline.stage import work_dir
from snowcoder.pipeline.tool import run_tool
from snowcoder.reporting.summary import write_missing_summaries
from snowcoder.tracking.mirror import sync
from snowcoder.tracking.store import Store, tracking_uri

MOST_COMPARED = 20


def page_urls(base: str, store: Store) -> dict[str, str]:
    """What there is to see: title -> address."""
    runs = f"{base}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    pages = {
        "all runs": runs,
        "summaries": runs + "&searchFilter=" + urllib.parse.quote("tags.summary = 'true'") + "&compareRunsMode=CHART",
    }
    summaries = store.summary_run_ids(MOST_COMPARED)
    if len(summaries) > 1:
        lists = urllib.parse.quote(json.dumps(summaries)), urllib.parse.quote(json.dumps([store.experiment_id]))
        pages["compared"] = f"{base}/#/compare-runs?runs={lists[0]}&experiments={lists[1]}&workflowType=machine_learning"
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="port on 127.0.0.1 (default 5000)")
    port = parser.parse_args().port
    if not 0 < port < 65536:
        parser.error(f"--port: found {port}; allowed: 1 to 65535")
    work = work_dir()
    if not is_server(tracking_uri(work)):
        refuse_taken(port)
    write_missing_summaries()
    try:
        sync(work)
    except Timeout:
        print("a run is being mirrored right now; its lines appear as it goes on")
    from mlflow.exceptions import MlflowException  # after snowcoder.tracking.store, which says how mlflow is to be imported

    try:
        store = Store(work)
    except MlflowException as error:
        reason = str(error).split("\n")[0][:300]
        advice = f"the records are in {work / 'tracking'}; without MLFLOW_TRACKING_URI they are served from here"
        sys.exit(f"error: {tracking_uri(work)}: cannot be read ({reason}); {advice}")
    served = not is_server(store.uri)
    base = f"http://127.0.0.1:{port}" if served else store.uri.rstrip("/")
    for title, url in page_urls(base, store).items():
        print(f"{title + ':':<11}{url}", flush=True)
    if served:
        serve(store.uri, port)


def is_server(uri: str) -> bool:
    """Whether somebody else serves the pages of this store."""
    return uri.startswith("http")


def refuse_taken(port: int) -> None:
    """Exit if another program listens on the port: its pages would be taken for ours."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            advice = f'another program (or `make ui`) may use it; take another port: make ui ARGUMENTS="--port {port % 65535 + 1}"'
            sys.exit(f"error: 127.0.0.1:{port}: {error.strerror}; {advice}")


def serve(uri: str, port: int) -> None:
    """Become the server: signals to this process are then its own."""
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # no jobs here: half the memory
    command = ["-m", "mlflow", "server", "--workers", "1", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    run_tool(main)

"""Serves MLflow's pages over this repository's runs on 127.0.0.1, and says where experiments are compared. `--port` chooses another port.

With MLFLOW_TRACKING_URI set to a server's address there is nothing to serve: only the address is told.
"""

import argparse
import json
import os
import sys
import urllib.parse

from filelock import Timeout

from snowcoder.mlflow_mirror import sync
from snowcoder.mlflow_store import Store
from snowcoder.reporting.summary import write_missing_summaries
from snowcoder.stage import work_dir

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
    work = work_dir()
    write_missing_summaries()
    try:
        sync(work)
    except Timeout:
        print("a run is being mirrored right now; its lines appear as it goes on")
    store = Store(work)
    served = not store.uri.startswith("http")
    base = f"http://127.0.0.1:{port}" if served else store.uri.rstrip("/")
    for title, url in page_urls(base, store).items():
        print(f"{title + ':':<11}{url}", flush=True)
    if served:
        serve(store.uri, port)


def serve(uri: str, port: int) -> None:
    """Become the server: signals to this process are then its own."""
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # no jobs here: half the memory
    command = ["-m", "mlflow", "server", "--workers", "1", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main()

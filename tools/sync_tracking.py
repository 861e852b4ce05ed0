"""Copies missing tracking records from `.work/tracking` to MLflow: after a server was down, or records
from another machine (first copy its `.work/tracking` there; their own times are kept).

Experiments whose results came from DVC's cache get their summary run first. Exits 1 if something is left.
"""

import sys

from snowcoder.pipeline.stage import run_tool, work_dir
from snowcoder.reporting.summary import write_missing_summaries
from snowcoder.tracking.mirror import sync
from snowcoder.tracking.store import tracking_uri


def main() -> None:
    work = work_dir()
    write_missing_summaries()
    records, left, fault = sync(work)
    print(f"{records} records in {work / 'tracking'}, {left} entries left to copy to {tracking_uri(work)}")
    if fault:
        sys.exit(f"error: {fault}")


if __name__ == "__main__":
    run_tool(main)

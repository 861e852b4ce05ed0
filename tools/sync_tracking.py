"""Copies to MLflow what it does not have yet of the tracking records in `.work/tracking`: after a server was down, or of records
that were brought here from another machine (copy its `.work/tracking/*.jsonl` there first; their own times are kept).

Experiments whose results came whole from DVC's cache get their summary run first. With --wait, a mirror that is at work is waited for.
Exits 1 if something is left.
"""

import sys
import time

from filelock import Timeout

from snowcoder.pipeline.stage import work_dir
from snowcoder.pipeline.tool import run_tool
from snowcoder.reporting.summary import write_missing_summaries
from snowcoder.tracking.mirror import sync
from snowcoder.tracking.store import tracking_uri


def main() -> None:
    work = work_dir()
    write_missing_summaries()
    try:
        n_records, left, fault = sync(work)
    except Timeout:
        if "--wait" in sys.argv[1:]:
            time.sleep(1.0)
            return main()
        print(f"a mirror is at work on {work / 'tracking'} already: it copies everything that is there")
        return
    print(f"{n_records} records in {work / 'tracking'}, {left} lines left to copy to {tracking_uri(work)}")
    if fault:
        sys.exit(f"error: {fault}")


if __name__ == "__main__":
    run_tool(main)

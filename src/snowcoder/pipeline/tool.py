"""How a program of tools/ ends: in the root of the repository, with a message for what the user can fix."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from snowcoder.pipeline.failures import failure_message
from snowcoder.pipeline.stage import work_dir

ROOT_FILE = Path("dvc.yaml")


def run_tool(main: Callable[[], None]) -> None:
    """Run `main`; what the user can fix ends in its message and exit code 1, like a start anywhere else than in the root."""
    if not ROOT_FILE.is_file():
        sys.exit(f"error: {ROOT_FILE}: not found in {Path.cwd()}; run from the root of the repository, as `make` does")
    try:
        main()
    except Exception as error:
        message = failure_message(error, [work_dir(), Path.cwd(), Path(tempfile.gettempdir())])
        if message is None:
            raise
        sys.exit(f"error: {message}")

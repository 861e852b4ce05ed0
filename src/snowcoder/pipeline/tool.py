"""Runs the programs that are not stages, and reports what the user can fix in one message."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from snowcoder.pipeline.failures import failure_message
from snowcoder.pipeline.stage import work_dir

ROOT_FILE = Path("dvc.yaml")


def run_tool(main: Callable[[], None]) -> None:
    """Run `main` of a program of tools/, which works in the root of the repository alone."""
    if not ROOT_FILE.is_file():
        sys.exit(f"error: {ROOT_FILE}: not found in {Path.cwd()}; run from the root of the repository, as `make` does")
    run_command(main)


def run_command(main: Callable[[], None], *folders: Path) -> None:
    """Run `main`; what the user can fix ends in its message and exit code 1. folders: where it writes, beyond the usual places."""
    try:
        main()
    except Exception as error:
        message = failure_message(error, [work_dir(), Path.cwd(), Path(tempfile.gettempdir()), *folders])
        if message is None:
            raise
        sys.exit(f"error: {message}")

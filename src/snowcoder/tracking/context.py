"""Where a run stands: experiment, revision, and the whole of params.yaml, as tags and params of its record."""

import os
import subprocess
from typing import Any

from snowcoder.pipeline.params import PARAMS_PATH, read_yaml
from snowcoder.storage.metrics import flatten

# Written by the pipeline itself: a change in them does not make the code of a run unknown.
PIPELINE_WRITES = ("dvc.lock", "metrics/", "results/")


def experiment_name() -> str:
    """The name of the DVC experiment; `workspace` under a plain `dvc repro`."""
    return os.environ.get("DVC_EXP_NAME") or "workspace"


def run_tags(stage: str, item: str | None, fingerprint: str) -> dict[str, str]:
    """Tags of one run. baseline_rev: the commit that the experiment starts from (the experiment's own exists only after the run)."""
    revision = os.environ.get("DVC_EXP_BASELINE_REV") or _git("rev-parse", "HEAD")
    tags = {
        "stage": stage,
        "item": item or "",
        "experiment_name": experiment_name(),
        "baseline_rev": (revision or "unknown").strip(),
        "dirty": is_dirty(),
        "fingerprint": fingerprint,
    }
    return {name: value for name, value in tags.items() if value}


def is_dirty() -> str:
    """`true`, `false`, or `unknown` without Git: do files differ from the commit, apart from what the pipeline itself writes?

    Under `dvc exp run` params.yaml is such a file too: its values are recorded with the run.
    """
    status = _git("status", "--porcelain")
    if status is None:
        return "unknown"
    written = (*PIPELINE_WRITES, "params.yaml") if os.environ.get("DVC_EXP_NAME") else PIPELINE_WRITES
    changed = [line[3:].strip('"') for line in status.splitlines()]
    return str(any(not path.startswith(written) for path in changed)).lower()


def run_params() -> dict[str, Any]:
    """The whole of params.yaml, flattened to `section.key`; empty where there is no params.yaml."""
    return flatten(read_yaml(PARAMS_PATH)) if PARAMS_PATH.exists() else {}


def _git(*arguments: str) -> str | None:
    try:
        # --no-optional-locks: a look must not disturb a Git command that runs beside it
        return subprocess.run(["git", "--no-optional-locks", *arguments], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None

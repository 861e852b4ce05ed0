"""Tags and parameters of a run: its experiment, its revision, and all of params.yaml.

An experiment is one params.yaml on one commit: a run that is interrupted and resumed under another name of DVC's is the same experiment.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from snowcoder.pipeline.params import PARAMS_PATH, read_yaml
from snowcoder.storage.metrics import flatten
from snowcoder.storage.workspace import original_root

# The pipeline itself writes these: a change in them does not make the code of a run unknown.
PIPELINE_WRITES = ("dvc.lock", "metrics/", "results/")
NAMED_CHANGES = 2


def run_tags(stage: str, item: str | None, fingerprint: str) -> dict[str, str]:
    """Tags of one run. baseline_rev: the commit that the experiment starts from (the experiment's own exists only after the run)."""
    revision = (os.environ.get("DVC_EXP_BASELINE_REV") or _git("rev-parse", "HEAD") or "unknown").strip()
    params = all_params()
    tags = {
        "stage": stage,
        "item": item or "",
        "experiment": f"{revision[:7]}-{params_digest(params)}",
        "experiment_title": experiment_title(params, revision),
        "experiment_name": os.environ.get("DVC_EXP_NAME") or "workspace",
        "baseline_rev": revision,
        "dirty": is_dirty(),
        "fingerprint": fingerprint,
        "params_digest": params_digest(params),
    }
    return {name: value for name, value in tags.items() if value}


def all_params() -> dict[str, Any]:
    """The whole of params.yaml, flattened to `section.key`; empty where there is no params.yaml."""
    return flatten(read_yaml(PARAMS_PATH)) if PARAMS_PATH.exists() else {}


def stage_params(stage: str, item: str | None) -> dict[str, Any]:
    """One stage's section of params.yaml: what its items share and one item's own, so that two items can be compared row by row."""
    section = read_yaml(PARAMS_PATH).get(stage) if PARAMS_PATH.exists() else None
    return flatten(_of_item(section, item)) if isinstance(section, dict) else {}


def params_digest(params: dict[str, Any]) -> str:
    """12 hex digits of flattened parameters."""
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:12]


def experiment_title(params: dict[str, Any], revision: str) -> str:
    """What differs from other experiments: the values that are not those of the commit, then the commit: `repeats=2 on 0123abc`."""
    committed = _committed_params(revision)
    names = sorted(params.keys() | committed.keys())
    changed = [f"{_short_name(name, names)}={params.get(name)}" for name in names if params.get(name) != committed.get(name)]
    if not committed or not changed:
        return revision[:7]
    more = len(changed) - NAMED_CHANGES
    return ", ".join(changed[:NAMED_CHANGES]) + (f" and {more} more" if more > 0 else "") + f" on {revision[:7]}"


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


def _short_name(name: str, names: Sequence[str]) -> str:
    """The end of a dotted name, as far as no other name ends so."""
    parts = name.split(".")
    ends = (".".join(parts[begin:]) for begin in range(len(parts) - 1, 0, -1))
    return next((end for end in ends if sum(other.endswith(f".{end}") for other in names) == 1), name)


def _of_item(section: dict[str, Any], item: str | None) -> dict[str, Any]:
    """`shared` and the item's own, of a section with items; else the section."""
    for name, items in section.items():
        if name != "shared" and isinstance(items, dict) and isinstance(items.get(item), dict):
            return section.get("shared", {}) | items[item]
    return section


def _committed_params(revision: str) -> dict[str, Any]:
    text = _git("-C", str(original_root()), "show", f"{revision}:{PARAMS_PATH}")
    try:
        loaded = YAML(typ="safe", pure=True).load(text or "")
    except YAMLError:
        return {}
    return flatten(loaded) if isinstance(loaded, dict) else {}


def _git(*arguments: str) -> str | None:
    try:
        # --no-optional-locks: must not disturb a Git command that runs at the same time
        return subprocess.run(["git", "--no-optional-locks", *arguments], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None

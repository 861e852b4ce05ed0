"""Checks all of params.yaml before the first stage runs: each section, sections against each other, and the files they name.

It does not import torch and takes about a second. As a program, `python -m snowcoder.configuration.checking`, it prints all faults.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from snowcoder.configuration.contradictions import disagreements
from snowcoder.configuration.named_files import missing_files
from snowcoder.configuration.sections import validate_sections
from snowcoder.errors import ParameterError
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import PARAMS_PATH, read_yaml
from snowcoder.storage.workspace import is_copy

GRAPH_PATH = Path("dvc.yaml")


def find_faults(params: Path = PARAMS_PATH, root: Path = Path()) -> list[str]:
    """A line for each value that is refused. root: of the repository, where dvc.yaml and the files named in params are.

    Raises ParameterError if `params` is not a YAML mapping.
    """
    return faults_of(read_yaml(params), read_graph(root / GRAPH_PATH), root)


def faults_of(raw: Mapping[str, Any], graph: Mapping[str, Any], root: Path = Path()) -> list[str]:
    """As find_faults, for files that have been read. graph: the stages of dvc.yaml."""
    sections, faults = validate_sections(raw)
    return [*faults, *missing_files(sections, root), *disagreements(sections, graph)]


def read_graph(path: Path) -> dict[str, Any]:
    """The stages of dvc.yaml, as written. Raises ParameterError if it cannot be read."""
    try:
        # with libyaml: the file is long, and holds nothing that YAML 1.1 and 1.2 read differently
        return dict(YAML(typ="safe").load(path.read_text(encoding="utf-8"))["stages"])
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError, ValueError) as error:
        raise ParameterError(f"{path}: cannot be read as the graph ({error}); `git checkout {path.name}` restores it") from error


def check_params(params: Path = PARAMS_PATH, root: Path = Path()) -> None:
    """Raises ParameterError with a line for each value that is refused."""
    if faults := find_faults(params, root):
        raise ParameterError("\n".join(f"{params}: {fault}" for fault in faults))


def overwrite_notice() -> str:
    """What a run replaces, if params.yaml is not the committed one; empty if it is, and in the copies that DVC runs experiments in."""
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", str(PARAMS_PATH)], capture_output=True, check=False)
    if is_copy() or changed.returncode != 1:  # 128: there is no repository or no commit
        return ""
    restore = "`git checkout metrics results dvc.lock` brings the committed ones back"
    return f"{PARAMS_PATH} differs from the committed one: a run replaces the files in metrics/ and results/, and dvc.lock; {restore}"


def main() -> None:
    """Say what a run replaces; exit 1 with the faults of params.yaml, if there are any."""
    try:
        check_params()
    except ParameterError as error:
        faults = str(error).split("\n")
        advice = f"{len(faults)} to correct in {PARAMS_PATH}; nothing has been run" if len(faults) > 1 else "nothing has been run"
        sys.exit("\n".join([*(f"error: {fault}" for fault in faults), advice]))
    if notice := overwrite_notice():
        say(notice)


if __name__ == "__main__":
    main()

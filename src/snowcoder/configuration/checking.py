"""The whole params.yaml, before the first stage runs: every section against its model, sections against each other, files that they name.

It loads no torch, and takes about a second. As a program, `python -m snowcoder.configuration.checking`, it prints all faults.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snowcoder.configuration.contradictions import disagreements
from snowcoder.configuration.graph import Graph, read_graph
from snowcoder.configuration.named_files import missing_files
from snowcoder.configuration.sections import validate_sections
from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import PARAMS_PATH, read_yaml

GRAPH_PATH = Path("dvc.yaml")


def find_faults(params: Path = PARAMS_PATH, root: Path = Path()) -> list[str]:
    """A line for each value that is refused. root: of the repository, where dvc.yaml and the files named in params lie.

    Raises ParameterError if `params` is no mapping in YAML.
    """
    return faults_of(read_yaml(params), read_graph(root / GRAPH_PATH), root)


def faults_of(raw: Mapping[str, Any], graph: Graph, root: Path = Path()) -> list[str]:
    """As find_faults, of a file that is read already."""
    sections, faults = validate_sections(raw)
    return [*faults, *missing_files(sections, root), *disagreements(sections, graph)]


def check_params(params: Path = PARAMS_PATH, root: Path = Path()) -> None:
    """Raises ParameterError with a line for each value that is refused."""
    if faults := find_faults(params, root):
        raise ParameterError("\n".join(f"{params}: {fault}" for fault in faults))


def main() -> None:
    """Exit 1 with the faults of params.yaml, if there are any."""
    try:
        check_params()
    except ParameterError as error:
        faults = str(error).split("\n")
        advice = f"{len(faults)} to correct in {PARAMS_PATH}; nothing has been run" if len(faults) > 1 else "nothing has been run"
        sys.exit("\n".join([*(f"error: {fault}" for fault in faults), advice]))


if __name__ == "__main__":
    main()

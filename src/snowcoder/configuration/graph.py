"""Reads from dvc.yaml what params.yaml must agree with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from snowcoder.errors import ParameterError


@dataclass(frozen=True)
class Graph:
    """stages: the mapping of that name."""

    stages: dict[str, Any]

    def deps(self, stage: str) -> list[str]:
        """Dependencies of a stage, as written."""
        return list(self.stages[stage].get("do", self.stages[stage])["deps"])


def read_graph(path: Path) -> Graph:
    """Raises ParameterError if dvc.yaml cannot be read."""
    try:
        # with libyaml: the file is long, and holds nothing that YAML 1.1 and 1.2 read differently
        return Graph(YAML(typ="safe").load(path.read_text(encoding="utf-8"))["stages"])
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError) as error:
        raise ParameterError(f"{path}: cannot be read as the graph ({error}); `git checkout {path.name}` restores it") from error

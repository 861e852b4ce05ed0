"""What dvc.yaml says about the values of params.yaml: the items of each stage, and the paths that it names for them."""

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

    def items(self, stage: str) -> list[str]:
        """Names that a stage runs for; none for a stage without `foreach`."""
        return list(self.stages[stage].get("foreach", []))

    def item_paths(self, stage: str, item: str) -> dict[str, str]:
        """Paths that an item adds to the dependencies of its stage, by name."""
        return self.stages[stage]["foreach"][item]

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

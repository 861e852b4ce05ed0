"""The committed params.yaml, with one value or key changed."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snowcoder.configuration.checking import GRAPH_PATH, faults_of, read_graph
from snowcoder.pipeline.params import PARAMS_PATH, read_yaml

ROOT = Path(__file__).resolve().parents[2]
PARAMS: dict[str, Any] = read_yaml(ROOT / PARAMS_PATH)
GRAPH = read_graph(ROOT / GRAPH_PATH)


def faults(raw: dict[str, Any]) -> list[str]:
    """What is refused of a whole file."""
    return faults_of(raw, GRAPH, ROOT)


def changed(**values: Any) -> dict[str, Any]:
    """A copy with values set; a dotted path as key, the section's dots written `__`."""
    raw = copy.deepcopy(PARAMS)
    for name, value in values.items():
        *parents, key = name.split("__")
        holder = raw
        for parent in parents:
            holder = holder[parent]
        holder[key] = value
    return raw


def places(node: Any = PARAMS, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key of every mapping, with its value; lists are values."""
    for key, value in node.items():
        yield (*path, key), value
        if isinstance(value, dict):
            yield from places(value, (*path, key))

"""Draws the graph of dvc.yaml as a readable picture: `make dag`.

in: dvc.yaml, params.yaml   out: docs/graph.svg. A box is a stage with its items; its tooltip is the stage's description. An arrow is a
dependency; it is left out where a longer way says the same.
"""

from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import networkx as nx
from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout

from snowcoder.pipeline.params import read_yaml
from snowcoder.pipeline.stage import run_tool

PICTURE = Path("docs/graph.svg")
MAX_LABEL_CHARS = 24
CHAR_WIDTH, LINE_HEIGHT, PADDING, MARGIN = 7, 15, 10, 12  # pixels; of 11 pixels' monospace, with room for wider fonts
NAME_STYLE, ITEM_STYLE = 'font-weight="bold"', 'fill="#445"'
FILLS = {"data": "#dcebfa", "models": "#dff3e0", "results": "#f3e6d4"}  # by the folder that a stage writes


class Box(NamedTuple):
    """One stage. x, y: centre, pixels."""

    stage: str
    lines: list[str]
    x: float
    y: float
    width: int
    height: int


class View:
    """What grandalf wants to know of a vertex (size; it sets xy) and of an edge (it calls setpath)."""

    def __init__(self, width: int = 0, height: int = 0) -> None:
        self.w, self.h = width, height
        self.xy = (0.0, 0.0)
        self.points: list[tuple[float, float]] = []

    def setpath(self, points: list[tuple[float, float]]) -> None:
        """Corners of an edge from centre to centre."""
        self.points = [tuple(point) for point in points]  # type: ignore[misc]


class NumberedVertex(Vertex):
    """Hashed by its number instead of by its address: grandalf walks over sets, and the picture must be the same each time."""

    def __hash__(self) -> int:
        return int(self.data)


class NumberedEdge(Edge):
    """As NumberedVertex."""

    def __hash__(self) -> int:
        return int(self.data)


def stage_graph(stages: dict[str, Any]) -> nx.DiGraph:
    """Stages, in the order of dvc.yaml, with an edge from each to those that read an output of any of its items."""
    graph = nx.DiGraph()
    graph.add_nodes_from(stages)
    for name, stage in stages.items():
        graph.add_edges_from((source, name) for path in _inputs(stage) for source in _writers(path, stages) if source != name)
    return graph


def read_stages(root: Path = Path()) -> dict[str, Any]:
    """The stages of dvc.yaml, each `foreach` with the items that params.yaml has."""
    stages, params = read_yaml(root / "dvc.yaml")["stages"], read_yaml(root / "params.yaml")
    for stage in stages.values():
        if "foreach" in stage:
            stage["foreach"] = _value(params, stage["foreach"].strip("${}"))
    return stages


def _inputs(stage: dict[str, Any]) -> Iterator[str]:
    """Paths that a stage depends on, for each of its items."""
    items = stage.get("foreach", {})
    for dep in stage.get("do", stage)["deps"]:
        of_item = dep.removeprefix("${item.").rstrip("}") if dep.startswith("${item.") else ""
        yield from (_value(item, of_item) for item in items.values()) if of_item else [dep]


def _value(mapping: dict[str, Any], path: str) -> Any:
    return reduce(getitem, path.split("."), mapping)


def _writers(path: str, stages: dict[str, Any]) -> list[str]:
    """The stage that writes a path: data/<stage>, models/<stage>, metrics/<stage>; all that write metrics for the folder of these."""
    if path == "metrics":
        return [name for name, stage in stages.items() if "metrics/" in str(stage.get("do", stage).get("plots"))]
    parts = Path(path).parts
    name = parts[1].removesuffix(".json") if len(parts) > 1 and parts[0] in ("data", "models", "metrics") else ""
    return [name] if name in stages else []


def label(name: str, stage: dict[str, Any]) -> list[str]:
    """The lines of a box: the stage's name, then its items, wrapped."""
    lines = [name]
    for item in stage.get("foreach", []):
        if len(lines) > 1 and len(lines[-1]) + len(item) + 2 <= MAX_LABEL_CHARS:
            lines[-1] += f", {item}"
        else:
            lines.append(str(item))
    return lines


def arrange(stages: dict[str, Any]) -> tuple[list[Box], list[list[tuple[float, float]]]]:
    """(boxes, corners of arrows), by Sugiyama's method: each stage below all that it reads, few crossings."""
    reduced = nx.transitive_reduction(stage_graph(stages))
    labels = {name: label(name, stage) for name, stage in stages.items()}
    vertices = {name: NumberedVertex(number) for number, name in enumerate(stages)}
    for name, lines in labels.items():
        vertices[name].view = View(max(map(len, lines)) * CHAR_WIDTH + 2 * PADDING, len(lines) * LINE_HEIGHT + PADDING)
    pairs = [(vertices[source], vertices[target]) for source in stages for target in sorted(reduced[source])]
    edges = [NumberedEdge(*pair, data=number) for number, pair in enumerate(pairs)]
    for edge in edges:
        edge.view = View()
    component = Graph(list(vertices.values()), edges).C[0]
    layout = SugiyamaLayout(component)
    layout.dw = layout.dh = 4  # room for a line that passes by a row of boxes
    layout.init_all(roots=[vertex for vertex in component.sV if not vertex.e_in()], optimize=True)
    layout.xspace, layout.yspace = 16, 34
    layout.route_edge = lambda edge, points: None
    layout.draw(20)
    views = {name: vertex.view for name, vertex in vertices.items()}
    boxes = [Box(name, labels[name], view.xy[0], view.xy[1], view.w, view.h) for name, view in views.items()]
    return boxes, [_between_borders(edge) for edge in edges]


def _between_borders(edge: Edge) -> list[tuple[float, float]]:
    """The corners of an edge, from the lower side of one box to the upper side of the other."""
    (above, below), points = (vertex.view for vertex in edge.v), edge.view.points
    return [(points[0][0], points[0][1] + above.h / 2), *points[1:-1], (points[-1][0], points[-1][1] - below.h / 2)]


def picture(stages: dict[str, Any]) -> str:
    """The SVG."""
    boxes, arrows = arrange(stages)
    left = min([box.x - box.width / 2 for box in boxes] + [x for points in arrows for x, _ in points]) - MARGIN
    right = max([box.x + box.width / 2 for box in boxes] + [x for points in arrows for x, _ in points]) + MARGIN
    top, bottom = min(box.y - box.height / 2 for box in boxes) - MARGIN, max(box.y + box.height / 2 for box in boxes) + MARGIN
    of = {box.stage: box for box in boxes}
    size = f'width="{right - left:.0f}" height="{bottom - top:.0f}" viewBox="{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="11">',
        '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#667"/></marker>',
        f'<rect x="{left:.0f}" y="{top:.0f}" width="100%" height="100%" fill="#fff"/>',
        *(_arrow(points) for points in arrows),
        *(_drawn(box, stages[box.stage]) for box in of.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrow(points: list[tuple[float, float]]) -> str:
    """A curve through the corners that leaves and reaches each of them straight from above."""
    (x, y), *rest = points
    path = f"M{x:.0f} {y:.0f}"
    for next_x, next_y in rest:
        middle = (y + next_y) / 2
        path += f"C{x:.0f} {middle:.0f} {next_x:.0f} {middle:.0f} {next_x:.0f} {next_y:.0f}"
        x, y = next_x, next_y
    return f'<path d="{path}" fill="none" stroke="#667" marker-end="url(#tip)"/>'


def _drawn(box: Box, stage: dict[str, Any]) -> str:
    body = stage.get("do", stage)
    written = next(iter(body.get("outs") or ["data"]))
    fill = FILLS[Path(written if isinstance(written, str) else next(iter(written))).parts[0]]
    left, top = box.x - box.width / 2, box.y - box.height / 2
    texts = [
        f'<text x="{left + PADDING:.0f}" y="{top + PADDING / 2 + LINE_HEIGHT * (number + 0.75):.0f}"'
        f" {ITEM_STYLE if number else NAME_STYLE}>{escape(line)}</text>"
        for number, line in enumerate(box.lines)
    ]
    tooltip = escape(f"{box.stage}: {stage.get('desc') or body.get('desc')}")
    shape = f'<rect x="{left:.0f}" y="{top:.0f}" width="{box.width}" height="{box.height}" rx="4" fill="{fill}" stroke="#667"/>'
    return "\n".join([f"<g><title>{tooltip}</title>", shape, *texts, "</g>"])


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(read_stages()))
    print(f"{PICTURE}: written; open it in a browser")


if __name__ == "__main__":
    run_tool(main)

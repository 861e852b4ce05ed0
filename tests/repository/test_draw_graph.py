"""The picture of the graph: current, complete, readable."""

import re
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest

from tools.draw_graph import PICTURE, arrange, label, picture, read_stages, stage_graph

ROOT = Path(__file__).resolve().parents[2]
STAGES = read_stages(ROOT)
SVG = "{http://www.w3.org/2000/svg}"


def test_the_committed_picture_is_current() -> None:
    assert (ROOT / PICTURE).read_text() == picture(STAGES), "run `make dag`"


def test_every_stage_has_a_box_with_its_items_and_its_description() -> None:
    drawn = ElementTree.fromstring(picture(STAGES))
    texts = [" ".join(text.text or "" for text in box.iter(f"{SVG}text")) for box in drawn.iter(f"{SVG}g")]
    assert [text.split()[0] for text in texts] == list(STAGES)
    assert "EDU, INS, HQ, HQINS" in " ".join(texts)
    assert next(title.text for title in drawn.iter(f"{SVG}title")) == f"check_params: {STAGES['check_params']['desc']}"


def test_arrows_lead_down_and_boxes_do_not_overlap() -> None:
    boxes, arrows = arrange(STAGES)
    for points in arrows:
        assert points[0][1] < points[-1][1]
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = abs(one.x - other.x) >= (one.width + other.width) / 2 or abs(one.y - other.y) >= (one.height + other.height) / 2
            assert apart, f"{one.stage} covers {other.stage}"


def test_it_fits_a_page() -> None:
    width = int(re.search(r'width="(\d+)"', picture(STAGES)).group(1))  # type: ignore[union-attr]
    assert width < 1400


def test_dependencies_are_those_of_a_small_graph() -> None:
    stages = {
        "a": {"deps": ["data/x.csv"], "outs": ["data/a"]},
        "b": {"foreach": ["one", "two"], "do": {"deps": ["data/a", "src/b.py"], "outs": ["models/b/${item}"]}},
        "c": {
            "foreach": {"k": {"packs": {"files": "models/b/one"}}},
            "do": {
                "deps": ["${item.packs.files}", "metrics/a.json"],
                "outs": ["data/c/${key}"],
                "plots": [{"metrics/c/k.json": {"cache": False}}],
            },
        },
        "d": {"deps": ["metrics", "data/a/part"], "outs": [{"results/d.md": {"cache": False}}]},
    }
    assert set(stage_graph(stages).edges) == {("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d")}
    _, arrows = arrange(stages)
    assert len(arrows) == 3  # a-c and a-d follow from a-b-c-d


def test_the_graph_has_no_circle_between_stages() -> None:
    assert nx.is_directed_acyclic_graph(stage_graph(STAGES))


@pytest.mark.parametrize(
    ("items", "lines"), [(["x"], ["s", "x"]), (["a" * 20, "b" * 20], ["s", "a" * 20, "b" * 20]), (["a", "b"], ["s", "a, b"])]
)
def test_items_are_wrapped(items: list[str], lines: list[str]) -> None:
    assert label("s", {"foreach": items}) == lines

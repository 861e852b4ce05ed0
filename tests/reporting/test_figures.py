"""Figures: the same data give the same bytes; phases follow one another on the axis of tokens."""

import re
from pathlib import Path

from matplotlib.image import imread

from snowcoder.reporting.contents import FIGURE_NAMES
from snowcoder.reporting.drawing import draw_all, draw_for_page
from snowcoder.reporting.figures import model_colours, phase_begins
from snowcoder.reporting.results import Results


def test_figures_are_the_same_twice_and_say_nothing_of_time_or_version(results: Results, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        draw_all(results, tmp_path / folder)
    for name in FIGURE_NAMES:
        content = (tmp_path / "first" / f"{name}.png").read_bytes()
        assert content == (tmp_path / "second" / f"{name}.png").read_bytes()
        assert b"tEXt" not in content
        assert imread(tmp_path / "first" / f"{name}.png").std() > 0.05


def test_figures_of_the_page_follow_its_colours_and_keep_their_names_apart(results: Results) -> None:
    figures = draw_for_page(results)
    assert figures == draw_for_page(results)
    assert set(figures) == set(FIGURE_NAMES)
    texts = [text for both in figures.values() for text in both]
    for text in texts:
        assert "currentColor" in text
        assert not re.search(r"#000000|#222222|#ffffff|<style|<metadata", text)
        names = re.findall(r' id="([^"]+)"', text)
        used = {one or other for one, other in re.findall(r'url\(#([^)]+)\)|xlink:href="#([^"]+)"', text)}
        assert used <= set(names)
        assert "<text" in text
    all_names = [name for text in texts for name in re.findall(r' id="([^"]+)"', text)]
    assert len(all_names) == len(set(all_names)), "one figure of the page would be cut off or marked by another's rules"


def test_a_narrow_figure_keeps_its_text_legible_on_a_phone(results: Results) -> None:
    """360 pixels over the figure's width in points: text of 9 points or more must stay at 9 pixels or more."""
    for _, narrow in draw_for_page(results).values():
        width = float(re.findall(r'viewBox="0 0 ([\d.]+)', narrow)[0])
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", narrow)]
        assert sizes
        assert min(sizes) * 360 / width >= 9


def test_a_phase_begins_where_its_parent_ends(results: Results) -> None:
    begins = phase_begins(results)
    steps = {variant: curve[-1]["tokens"] for variant, curve in results.curves.items()}
    assert begins["general"] == 0
    assert begins["continued"] == begins["continued_random"] == steps["general"]
    assert begins["enhanced"] == begins["enhanced_selected"] == steps["general"] + steps["continued"]


def test_controls_bear_their_model_s_colour(results: Results) -> None:
    colours = model_colours(results)
    assert colours["continued"] == colours["continued_random"]
    assert len({colours[name] for name in ("initial", "general", "continued", "enhanced")}) == 4

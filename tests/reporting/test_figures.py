"""Figures: the same data give the same bytes; phases stand one after the other on the axis of tokens."""

from pathlib import Path

from matplotlib.image import imread

from snowcoder.reporting.contents import FIGURE_NAMES
from snowcoder.reporting.figures import draw_all, model_colours, phase_begins
from snowcoder.reporting.results import Results


def test_figures_are_the_same_twice_and_say_nothing_of_time_or_version(results: Results, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        draw_all(results, tmp_path / folder)
    for name in FIGURE_NAMES:
        content = (tmp_path / "first" / f"{name}.png").read_bytes()
        assert content == (tmp_path / "second" / f"{name}.png").read_bytes()
        assert b"tEXt" not in content
        assert imread(tmp_path / "first" / f"{name}.png").std() > 0.05


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

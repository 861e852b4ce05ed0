"""snowcoder.filtering.thresholds: which languages differ from the defaults."""

import pytest

from snowcoder.errors import ParameterError
from snowcoder.filtering.thresholds import FilterParams, thresholds_of
from snowcoder.params import validate


def test_the_defaults_are_those_of_starcoder2() -> None:
    params = FilterParams()
    assert (params.max_lines, params.max_mean_line_chars, params.max_line_chars) == (100_000, 100, 1000)
    assert (params.min_alphabetic_fraction, params.max_encoded_run_chars, params.max_encoded_fraction) == (0.25, 1024, 0.5)
    assert (params.max_data_lines, params.min_html_text_chars, params.min_html_text_fraction) == (512, 100, 0.2)


def test_languages_that_differ() -> None:
    params = FilterParams(max_lines=70, max_data_lines=7)
    python, html, json, notebook = (thresholds_of(name, params) for name in ("python", "html", "json", "jupyter-notebook"))
    assert (python.max_lines, json.max_lines) == (70, 7)
    assert (python.must_parse_python, html.must_parse_python) == (True, False)
    assert (html.max_mean_line_chars, html.max_line_chars, html.min_html_text_chars) == (None, 100_000, 100)
    assert python.min_html_text_chars is None
    assert notebook.min_alphabetic_fraction is None


def test_a_threshold_out_of_range_is_named() -> None:
    with pytest.raises(ParameterError, match=r"filter_files\.min_alphabetic_fraction: .*less than or equal to 1 \(found 25\.0\)"):
        validate({"min_alphabetic_fraction": 25.0}, FilterParams, "filter_files")

"""Metrics files: the same result gives the same bytes, rows add up, only numbers are written."""

from collections import Counter
from pathlib import Path

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.storage.metrics import flatten, read_metrics, row_accounts, write_metrics


def test_order_of_keys_and_last_digits_do_not_show(tmp_path: Path) -> None:
    write_metrics(tmp_path / "one.json", {"b": 1, "a": {"y": 0.1 + 0.2, "x": [1.0]}})
    write_metrics(tmp_path / "two.json", {"a": {"x": [1.0], "y": 0.3}, "b": 1})
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert read_metrics(tmp_path / "one.json")["a"]["y"] == 0.3


def test_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnowcoderError, match=r"one\.json\.a: nan is not a finite number"):
        write_metrics(tmp_path / "one.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_rows_must_add_up() -> None:
    assert row_accounts(5, 3, Counter({"long": 2})) == {"rows_in": 5, "rows_out": 3, "dropped": {"long": 2}}
    with pytest.raises(AssertionError, match="do not add up"):
        row_accounts(5, 4, Counter({"long": 2}))


def test_flatten() -> None:
    assert flatten({"a": {"b": 1, "c": {"d": 2}}, "e": [3]}) == {"a.b": 1, "a.c.d": 2, "e": [3]}


def test_missing_metrics_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(SnowcoderError, match=r"none\.json: cannot be read"):
        read_metrics(tmp_path / "none.json")

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.deduplication.survivors import rank_keys, revision_age
from snowcoder.errors import ShardError
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA

BASE = {"licence": "MIT", "popularity": 0.5, "revision": "2.0", "path": "m/m.py", "file_id": "0c" * 16}
SCHEMA = pa.schema([SOURCE_FILE_SCHEMA.field(name) for name in BASE])


@pytest.mark.parametrize(
    "worse",
    [
        {"licence": "GPL-3.0-only", "popularity": 1.0},
        {"licence": "MIT AND GPL-3.0-only", "popularity": 1.0},
        {"licence": "", "popularity": 1.0},
        {"popularity": 0.4, "revision": "3.0"},
        {"revision": "1.9", "path": "m.py"},
        {"revision": "2.0rc1"},
        {"revision": "3f2a9c1e" * 5, "path": "m.py"},
        {"path": "m/_vendor/m.py", "file_id": "00" * 16},
        {"path": "m/longer.py", "file_id": "00" * 16},
        {"file_id": "0d" * 16},
    ],
)
def test_each_criterion_goes_before_the_next(worse):
    assert np.argsort(rank_keys(pa.Table.from_pylist([BASE | worse, BASE])), kind="stable").tolist() == [1, 0]


@given(st.lists(st.floats(min_value=0, allow_infinity=True, width=32), min_size=2, max_size=8))
def test_the_more_popular_is_preferred(popularities: list[float]):
    keys = rank_keys(pa.Table.from_pylist([BASE | {"popularity": popularity} for popularity in popularities]))
    for one, key in zip(popularities, keys, strict=True):
        assert [key < other for other in keys] == [one > popularity for popularity in popularities]


def test_unknown_popularity_is_the_lowest():
    keys = rank_keys(pa.Table.from_pylist([BASE | {"popularity": value} for value in (None, float("nan"), 0.0, -0.0, 1e-9)]))
    assert len(set(keys[:4])) == 1
    assert keys[4] < keys[0]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9", "1.10"),
        ("2.0b1", "2.0"),
        ("2023-12-31", "2024-01-01"),
        ("2024-01-01T10:00:00", "2024-02-01"),
        ("", "0.0.1"),
        ("1.0", "1!0.1"),
    ],
)
def test_newest(older, newer):
    assert revision_age(older) < revision_age(newer)


@pytest.mark.parametrize("file_id", ["short", "00" * 15, "zz" * 16, None])
def test_an_identity_of_another_form_is_refused(file_id):
    with pytest.raises(ShardError, match="32 hex digits"):
        rank_keys(pa.Table.from_pylist([BASE | {"file_id": file_id}], schema=SCHEMA))

"""Languages in order, repositories together, files at random; nothing depends on position."""

import random

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.tokenization.catalogue import CATALOGUE_SCHEMA
from snowcoder.tokenization.ordering import GroupBy, packing_order

FILES = st.lists(
    st.tuples(st.integers(0, 999), st.sampled_from("rst"), st.sampled_from(["css", "python", "c"])),
    unique_by=lambda row: row[0],
    max_size=20,
)


def _catalogue(rows: list[tuple[int, str, str]]) -> pa.Table:
    columns = {
        "file_id": [str(row[0]) for row in rows],
        "repository": [row[1] for row in rows],
        "path": [f"p{row[0]}" for row in rows],
        "language": [row[2] for row in rows],
        "n_tokens": [1] * len(rows),
        "shard": ["part"] * len(rows),
        "row": list(range(len(rows))),
    }
    return pa.table(columns, schema=CATALOGUE_SCHEMA)


def _order(rows: list[tuple[int, str, str]], group_by: GroupBy = "language_then_repository", seed: int = 0) -> list[tuple[int, str, str]]:
    order = packing_order(_catalogue(rows), np.zeros(len(rows), dtype=np.int64), group_by, seed)
    assert sorted(order.tolist()) == list(range(len(rows)))
    return [rows[position] for position in order]


def _runs(values: list[str]) -> list[str]:
    return [value for index, value in enumerate(values) if index == 0 or values[index - 1] != value]


@settings(deadline=None)
@given(rows=FILES, shuffler=st.randoms())
def test_input_order_does_not_matter(rows: list[tuple[int, str, str]], shuffler: random.Random) -> None:
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert _order(shuffled) == _order(rows)


@settings(deadline=None)
@given(rows=FILES)
def test_languages_are_sorted_and_repositories_stay_together(rows: list[tuple[int, str, str]]) -> None:
    ordered = _order(rows)
    languages = _runs([row[2] for row in ordered])
    assert languages == sorted(set(languages))
    groups = _runs([f"{row[2]}/{row[1]}" for row in ordered])
    assert len(groups) == len(set(groups))


@settings(deadline=None)
@given(rows=FILES)
def test_by_repository_alone_keeps_repositories_together(rows: list[tuple[int, str, str]]) -> None:
    repositories = _runs([row[1] for row in _order(rows, "repository")])
    assert len(repositories) == len(set(repositories))


@settings(deadline=None)
@given(rows=FILES.filter(len))
def test_a_file_more_leaves_the_others_as_they_were(rows: list[tuple[int, str, str]]) -> None:
    assert [row for row in _order(rows) if row != rows[0]] == _order(rows[1:])


def test_by_repository_alone_mixes_languages() -> None:
    rows = [(number, "r", "python" if number % 2 else "css") for number in range(50)]
    assert len(_runs([row[2] for row in _order(rows, "repository")])) > 10


def test_seed_and_pass_change_the_order() -> None:
    rows = [(number, f"r{number % 5}", "python") for number in range(50)]
    assert _order(rows, seed=0) != _order(rows, seed=1)
    both = rows + rows
    passes = np.repeat([0, 1], 50)
    order = packing_order(_catalogue(both), passes, "language_then_repository", 0)
    assert passes[order].tolist() == [0] * 50 + [1] * 50
    first, second = ([both[position] for position in half] for half in (order[:50], order[50:]))
    assert first == _order(rows)
    assert first != second
    assert sorted(first) == sorted(second)

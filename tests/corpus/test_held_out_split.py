"""snowcoder.corpus.held_out_split: by the repository's family, by hash."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.corpus.held_out_split import SPLIT_SCHEMA, SplitParams, merge_splits, split_of, split_shard
from snowcoder.errors import EmptyResultError
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.source_files.repository_families import repository_family
from snowcoder.words import HELD_OUT, TRAIN

PARAMS = SplitParams(seed=1, held_out_fraction=0.5)


def table(repositories: list[str]) -> pa.Table:
    rows = [
        make_source_file(
            source="t", repository=name, path=f"{at}.py", language="python", content="x\n", licence="MIT", download_rank=None, revision="1"
        ).row()
        for at, name in enumerate(repositories)
    ]
    return pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA)


@given(st.lists(st.sampled_from([f"r{number}" for number in range(12)]), min_size=1))
def test_rows_keep_their_order_and_a_repository_its_side(repositories: list[str]) -> None:
    files = table(repositories)
    split = split_shard(files, PARAMS).tables["files"]
    assert split.schema.names == SPLIT_SCHEMA.names
    assert split.drop_columns("split").equals(files)
    assert split["split"].to_pylist() == [split_of(name, PARAMS) for name in repositories]


def test_the_fraction_is_met_over_many_repositories() -> None:
    params = SplitParams(seed=3, held_out_fraction=0.1)
    held_out = sum(split_of(f"repository{number}", params) == HELD_OUT for number in range(5000))
    assert 430 < held_out < 570  # binomial: 500, standard deviation 21


@given(st.integers(0, 1000), st.lists(st.from_regex(r"(jaraco|zope|a)([-/.][a-z]{1,3}){0,2}", fullmatch=True), min_size=1))
def test_no_family_is_on_both_sides(seed: int, repositories: list[str]) -> None:
    params = SplitParams(seed=seed, held_out_fraction=0.5)
    sides: dict[str, set[str]] = {}
    for name in repositories:
        sides.setdefault(repository_family(name), set()).add(split_of(name, params))
    assert all(len(side) == 1 for side in sides.values())


def test_unit_repository_splits_the_repositories_of_one_owner() -> None:
    names = [f"owner/{number}" for number in range(40)]
    assert len({split_of(name, PARAMS) for name in names}) == 1
    alone = SplitParams(seed=1, held_out_fraction=0.5, unit="repository")
    assert {split_of(name, alone) for name in names} == {TRAIN, HELD_OUT}


def test_a_corpus_of_one_owner_is_told_what_to_set() -> None:
    with pytest.raises(EmptyResultError, match=r"all 2 repositories are of one owner or namespace, owner; set unit: repository"):
        merge_splits([split_shard(table(["owner/a", "Owner/b"]), PARAMS).summary], PARAMS)


def test_metrics_count_files_bytes_and_repositories() -> None:
    names = [f"r{number}" for number in range(8)]
    metrics = merge_splits([split_shard(table(names[:5]), PARAMS).summary, split_shard(table([*names[5:], "r0"]), PARAMS).summary], PARAMS)
    expected = {split: [name for name in names if split_of(name, PARAMS) == split] for split in (TRAIN, HELD_OUT)}
    for split, members in expected.items():
        n_files = len(members) + ("r0" in members)
        assert metrics[split]["repositories"] == metrics[split]["families"] == len(members)
        assert metrics[split]["files"] == n_files
        assert metrics[split]["by_language"] == {"python": {"files": n_files, "bytes": 2 * n_files}}


def test_an_empty_side_is_an_error() -> None:
    params = SplitParams(seed=1, held_out_fraction=1e-9)
    with pytest.raises(EmptyResultError, match=r"held_out is empty: seed 1 .* all 1 repositories .* choose another seed"):
        merge_splits([split_shard(table(["r0"]), params).summary], params)

"""The labelled sample: by hash of content, train split only, independent of the order."""

from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.embedding.pool import is_in_pool
from snowcoder.errors import EmptyResultError
from snowcoder.labels.labelling import LabelParams, label_shard, last_sampled, summarise_labels
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_shard, write_table

SCHEMA = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))


def split_files(n_files: int, held_out: range = range(0)) -> pa.Table:
    rows = []
    for index in range(n_files):
        file = make_source_file(
            source="test", repository="a", path=f"{index}.py", language="python", content=f"def function_{index}(): pass\n",
            licence="MIT", download_rank=None, revision="1",
        )  # fmt: skip
        rows.append({**file.row(), "split": "held_out" if index in held_out else "train"})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def params_of(sample_files: int, seed: int, pool_fraction: float = 1.0) -> LabelParams:
    return LabelParams(labeller="rubric", sample_files=sample_files, seed=seed, pool_fraction=pool_fraction, pool_seed=1)


def labelled(folder: Path, sample_files: int, seed: int, pool_fraction: float = 1.0) -> list[str]:
    params = params_of(sample_files, seed, pool_fraction)
    last = last_sampled(list_shards(folder), params)
    tables = [label_shard(read_shard(path), last, params).tables["labels"] for path in list_shards(folder)]
    return [file_id for table in tables for file_id in table["file_id"].to_pylist()]


def test_sample_has_the_size_asked_for_and_only_train_files(tmp_path: Path) -> None:
    files = split_files(40, held_out=range(10, 20))
    write_table(tmp_path, [files.slice(0, 13), files.slice(13)], SCHEMA)
    train = {row["file_id"] for row in files.to_pylist() if row["split"] == "train"}
    assert len(labelled(tmp_path, 7, seed=1)) == 7
    assert set(labelled(tmp_path, 7, seed=1)) < set(labelled(tmp_path, 12, seed=1)) < train
    assert set(labelled(tmp_path, 1000, seed=1)) == train
    assert set(labelled(tmp_path, 7, seed=1)) != set(labelled(tmp_path, 7, seed=2))


def test_no_label_is_spent_on_a_file_that_is_not_embedded(tmp_path: Path) -> None:
    files = split_files(60)
    write_table(tmp_path, [files], SCHEMA)
    pool = {row["file_id"] for row in files.to_pylist() if is_in_pool(row["content_sha256"], 0.5, 1)}
    assert 10 < len(pool) < 50
    assert set(labelled(tmp_path, 1000, 1, 0.5)) == pool
    assert len(labelled(tmp_path, 9, 1, 0.5)) == 9


def test_sample_does_not_depend_on_the_order(tmp_path: Path) -> None:
    files = split_files(30)
    write_table(tmp_path / "a", [files], SCHEMA)
    write_table(tmp_path / "b", [files.take(pa.array(range(29, -1, -1))).slice(0, 11), files.slice(0, 19)], SCHEMA)
    assert set(labelled(tmp_path / "a", 9, seed=3)) == set(labelled(tmp_path / "b", 9, seed=3))


def test_labels_name_their_labeller_and_are_counted(tmp_path: Path) -> None:
    write_table(tmp_path, [split_files(5)], SCHEMA)
    result = label_shard(read_shard(list_shards(tmp_path)[0]), last_sampled(list_shards(tmp_path), params_of(5, 0)), params_of(5, 0))
    assert set(result.tables["labels"]["labeller"].to_pylist()) == {"rubric"}
    # functions of one line: half a point, for naming
    assert result.tables["labels"]["label"].to_pylist() == [0.5] * 5
    assert summarise_labels([result.summary]) == {"files": 5, "labeller": "rubric", "by_language": {"python": {"0": 5}}}


def test_no_train_file_is_an_error(tmp_path: Path) -> None:
    write_table(tmp_path, [split_files(3, held_out=range(3))], SCHEMA)
    with pytest.raises(EmptyResultError, match="no file of the train split"):
        last_sampled(list_shards(tmp_path), params_of(5, 0))

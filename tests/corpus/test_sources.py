"""snowcoder.corpus.sources: from lock and table to shards, over real pip and real wheels."""

import os
from pathlib import Path
from typing import Any

import pytest

from snowcoder.corpus.sources import FetchCorpusParams, fetch_files, shard_of
from snowcoder.errors import EmptyResultError, ParameterError
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import list_shards, read_manifest, read_shard, read_table
from tests.corpus.wheel_factory import pin, write_wheel


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A valid section fetch_corpus over two wheels in a folder that is pip's whole world."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    python = {f"m{number}.py": f"x = {number}\n".encode() for number in range(20)}
    wheels = [write_wheel(tmp_path / "index", name, python | {"run.sh": b"echo 1\n"}) for name in ("snow-a", "snow-b")]
    lock, table = pin(tmp_path, wheels)
    return {
        "source": {"kind": "wheels", "lock": str(lock), "table": str(table)},
        "shards": 3,
        "max_files_per_repository": 100,
        "max_bytes_per_repository": 10_000,
        "max_file_bytes": 1000,
        "languages": ["python", "shell"],
    }


def fetch(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    return fetch_files(validate(raw, FetchCorpusParams, "fetch_corpus"), folder, folder.parent / "downloads")


def test_files_lie_in_the_shard_of_their_id_in_order(raw: dict[str, Any], tmp_path: Path) -> None:
    metrics = fetch(raw, tmp_path / "out")
    shards = list_shards(tmp_path / "out")
    assert len(shards) == 3
    for index, path in enumerate(shards):
        table = read_shard(path)
        ids = table["file_id"].to_pylist()
        assert table.schema.names == SOURCE_FILE_SCHEMA.names
        assert ids == sorted(ids)
        assert {shard_of(file_id, 3) for file_id in ids} <= {index}
    assert metrics["rows_out"] == read_table(tmp_path / "out").num_rows == 42
    assert metrics["repositories"] == 2
    assert metrics["by_language"] == {"python": {"files": 40, "bytes": 260}, "shell": {"files": 2, "bytes": 14}}


def test_the_same_bytes_come_out_twice(raw: dict[str, Any], tmp_path: Path) -> None:
    assert fetch(raw, tmp_path / "one") == fetch(raw, tmp_path / "two")
    assert read_manifest(tmp_path / "one") == read_manifest(tmp_path / "two")


def test_another_repository_moves_no_file(raw: dict[str, Any], tmp_path: Path) -> None:
    fetch(raw, tmp_path / "both")
    fetch(raw | {"only_repositories": ["snow-a"]}, tmp_path / "one")
    both = [row for row in read_table(tmp_path / "both").to_pylist() if row["repository"] == "snow-a"]
    assert read_table(tmp_path / "one").to_pylist() == both


def test_nothing_left_is_an_error(raw: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(
        EmptyResultError,
        match=r"no file is left of 42 files: language_not_taken 42 \(for example 'python' 40, 'shell' 2\); change fetch_corpus\.languages",
    ):
        fetch(raw | {"languages": ["rust"]}, tmp_path / "out")


def test_an_unknown_kind_of_source_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(
        ParameterError, match=r"fetch_corpus\.source\.kind: found 'wheel'; did you mean wheels\? allowed: wheels, directory, jsonl"
    ):
        validate(raw | {"source": raw["source"] | {"kind": "wheel"}}, FetchCorpusParams, "fetch_corpus")


def test_a_source_is_chosen_by_its_name_and_the_others_are_no_part_of_the_identity(raw: dict[str, Any], tmp_path: Path) -> None:
    sources = {"pinned": raw["source"], "mine": {"kind": "directory", "path": str(tmp_path)}}
    by_name = validate(raw | {"source": "pinned", "sources": sources}, FetchCorpusParams, "fetch_corpus")
    assert by_name.model_dump() == validate(raw, FetchCorpusParams, "fetch_corpus").model_dump()
    other = validate(raw | {"source": "mine", "sources": sources}, FetchCorpusParams, "fetch_corpus")
    assert other.source.kind == "directory"
    assert other.source.inputs() == []


@pytest.mark.parametrize(
    ("source", "sources", "message"),
    [
        (
            "mine",
            {"pinned": {"kind": "directory", "path": "x"}},
            r"source: .*found 'mine'; allowed: a name of sources \(pinned\), or a mapping",
        ),
        ("mine", {}, r"source: .*found 'mine'; allowed: a name of sources \(which is empty\)"),
        ("mine", {"mine": {"kind": "json", "path": "x"}}, r"fetch_corpus\.source.*'json'"),
        ({"kind": "directory", "path": "x"}, {"unused": {"kind": "directory"}}, r"fetch_corpus\.sources\.unused.*path.*missing"),
        ({"kind": "jsonl", "path": "x", "columns": {"contnt": "c"}}, {}, r"fetch_corpus\.source.*columns\.contnt: unknown parameter"),
    ],
)
def test_a_source_that_cannot_be_is_refused(raw: dict[str, Any], source: Any, sources: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        validate(raw | {"source": source, "sources": sources}, FetchCorpusParams, "fetch_corpus")

import gzip
import hashlib
import json

import pytest

from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE, PinnedSource, find_file, read_records, text_field
from snowcoder.errors import EmptyResultError, SourceError


def written(path, content: bytes) -> str:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def test_records_are_read_and_blank_lines_passed_over(tmp_path):
    path = tmp_path / "problems.jsonl.gz"
    digest = written(path, gzip.compress(b'{"a": "x"}\n\n{"a": "y"}\n'))
    assert read_records(path, "b", digest) == [{"a": "x"}, {"a": "y"}]


@pytest.mark.parametrize(
    "content", [b"not gzip", gzip.compress(b"not json\n"), gzip.compress(b'{"a": 1}\n' * 99)[:20]], ids=["plain", "not-json", "cut"]
)
def test_a_file_that_is_not_gzipped_json_lines_is_named(tmp_path, content):
    path = tmp_path / "problems.jsonl.gz"
    with pytest.raises(SourceError, match=r"problems\.jsonl\.gz: benchmark b is not gzipped JSON lines"):
        read_records(path, "b", written(path, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.jsonl\.gz: benchmark b cannot be read"):
        read_records(tmp_path / "gone.jsonl.gz", "b", "0" * 64)


def test_a_missing_field_is_named_with_those_there_are(tmp_path):
    with pytest.raises(SourceError, match=r"field prompt: found None; allowed: text \(fields found: a, b\)"):
        text_field(json.loads('{"b": 1, "a": 2}'), "prompt", tmp_path)


def test_an_empty_benchmark_is_refused(tmp_path):
    path = tmp_path / "problems.jsonl"
    with pytest.raises(EmptyResultError, match="benchmark b has no problem"):
        read_records(path, "b", written(path, b"\n\n"))


def test_what_is_not_pinned_is_recorded_and_refused_when_it_changes(tmp_path):
    path = tmp_path / "problems.jsonl"
    first = written(path, b'{"a": 1}\n')
    assert read_records(path, "b", None) == [{"a": 1}]
    second = written(path, b'{"a": 2}\n')
    with pytest.raises(SourceError, match=rf"found sha256 {second}, .*hashes\.json allows {first}"):
        read_records(path, "b", None)
    assert read_records(path, "b", None, accept_changed=True) == [{"a": 2}]
    assert read_records(path, "b", None) == [{"a": 2}]


def test_the_first_file_of_the_folder_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "second.jsonl").write_text("")
    assert find_file(PinnedSource(("first.jsonl", "second.jsonl")), "b").name == "second.jsonl"
    (tmp_path / "first.jsonl").write_text("")
    assert find_file(PinnedSource(("first.jsonl", "second.jsonl")), "b").name == "first.jsonl"


def test_a_release_is_fetched_once(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    release = tmp_path / "release" / "b.jsonl.gz"
    release.parent.mkdir()
    release.write_bytes(gzip.compress(b'{"a": 1}\n'))
    origin = PinnedSource(("b.jsonl.gz",), release.as_uri())
    path = find_file(origin, "b")
    assert path.read_bytes() == release.read_bytes()
    release.unlink()
    assert find_file(origin, "b") == path


def test_a_dataset_of_the_hub_becomes_json_lines(tmp_path, monkeypatch):
    # a folder in the place of a name on the hub: the library reads both alike
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "test.jsonl").write_text('{"task_id": "B/0", "inputs": ["1, [2]"]}\n')
    path = find_file(PinnedSource(("b.jsonl.gz",), "", str(tmp_path / "dataset"), "test"), "b")
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"inputs": ["1, [2]"], "task_id": "B/0"}]


def test_a_file_that_is_nowhere_is_told_with_all_places(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    origin = PinnedSource(("b.jsonl.gz",), (tmp_path / "gone.gz").as_uri())
    with pytest.raises(SourceError, match=rf"{FOLDER_VARIABLE} is not set; files b\.jsonl\.gz.*gone\.gz \(URLError.*download b\.jsonl\.gz"):
        find_file(origin, "b")

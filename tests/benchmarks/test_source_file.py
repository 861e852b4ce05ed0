import gzip
import hashlib
import json

import pytest

from snowcoder.benchmarks.source_file import read_records, text_field
from snowcoder.errors import SourceError


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

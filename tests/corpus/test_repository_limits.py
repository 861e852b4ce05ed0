"""snowcoder.corpus.repository_limits: a repository's limits fill up by hash, not by position."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.corpus.repository_limits import FileLimits, is_vendored, take_within_limits
from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SourceFile, make_source_file


def limits(files: int = 100, total: int = 10_000, single: int = 1000) -> FileLimits:
    return FileLimits(max_files_per_repository=files, max_bytes_per_repository=total, max_file_bytes=single, languages=["python"])


def file(path: str, content: str) -> SourceFile:
    return make_source_file(
        source="test", repository="r", path=path, language="python", content=content, licence="MIT", download_rank=None, revision="1"
    )


FILES = [file(f"m{number}.py", f"x = {number}\n" * (number + 1)) for number in range(20)]


def test_everything_is_taken_within_the_limits_sorted_by_path() -> None:
    taken, left_out = take_within_limits(FILES, limits())
    assert [one.path for one in taken] == sorted(one.path for one in FILES)
    assert not left_out


@given(st.randoms(use_true_random=False), st.integers(1, 19))
def test_position_does_not_decide_and_a_larger_limit_takes_a_superset(shuffler: random.Random, n_files: int) -> None:
    shuffled = list(FILES)
    shuffler.shuffle(shuffled)
    taken, left_out = take_within_limits(shuffled, limits(files=n_files))
    assert taken == take_within_limits(FILES, limits(files=n_files))[0]
    assert left_out == {"over_files_per_repository": len(FILES) - n_files}
    assert set(taken) < set(take_within_limits(FILES, limits(files=n_files + 1))[0])


@given(st.integers(1000, 2000))
def test_bytes_stay_within_the_limit(n_bytes: int) -> None:
    taken, left_out = take_within_limits(FILES, limits(total=n_bytes))
    assert sum(one.n_bytes for one in taken) <= n_bytes
    assert len(taken) + left_out.total() == len(FILES)


@pytest.mark.parametrize(
    ("path", "vendored"), [("pip/_vendor/a.py", True), ("a/third_party/b/c.h", True), ("vendor.py", False), ("a/b.py", False)]
)
def test_vendored_trees(path: str, vendored: bool) -> None:
    assert is_vendored(path) is vendored


def test_an_unknown_language_is_refused_by_name() -> None:
    raw = {"max_files_per_repository": 1, "max_bytes_per_repository": 1, "max_file_bytes": 1, "languages": ["pyhton"]}
    with pytest.raises(ParameterError, match=r"languages: .*unknown pyhton; allowed: c, cpp"):
        validate(raw, FileLimits, "fetch_corpus")

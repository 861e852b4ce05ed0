"""snowcoder.corpus.reading: which paths are read, and in which form."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.corpus.reading import is_one_line, is_safe_path, plain_path


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("src/a.py", "src/a.py"),
        ("/src/a.py", "src/a.py"),
        ("//src//a.py", "src/a.py"),
        ("./src/a.py", "src/a.py"),
        ("src\\a.py", "src/a.py"),
        ("\\src\\a.py", "src/a.py"),
        ("a b/é.py", "a b/é.py"),
        ("日本\u3000語/a.py", "日本\u3000語/a.py"),
        ("a:b.py", "a:b.py"),
        ("...py", "...py"),
    ],
)
def test_paths_as_data_sets_write_them_are_taken(path: str, plain: str) -> None:
    assert plain_path(path) == plain
    assert is_safe_path(plain)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "../a.py",
            "/../a.py",
            "src/../../a.py",
            "..\\a.py",
            "src/..\\a.py",
            "src/b\\a.py",
            "C:\\src\\a.py",
            "c:/src/a.py",
            "/",
            "\\",
            ".",
        ),
        *("a\tb.py", "a\nb.py", "a\0.py", "a\x1b[31m.py", "a\u202e.py", "a\ud800.py", "a\x85.py", "a\u2028.py"),
    ],
)
def test_paths_that_leave_their_repository_or_their_line_are_refused(path: str) -> None:
    assert not is_safe_path(plain_path(path))


@given(st.text("ab./\\:C \t", max_size=12))
def test_a_path_that_is_taken_stays_in_its_repository_and_is_written_one_way(path: str) -> None:
    plain = plain_path(path)
    if is_safe_path(plain):
        assert plain_path(plain) == plain
        assert not PurePosixPath(plain).is_absolute()
        assert ".." not in PurePosixPath(plain).parts
        assert not {"\\", "\t"} & set(plain)
        assert is_one_line(plain)

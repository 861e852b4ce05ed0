"""snowcoder.filtering.csv_tables: a CSV table is read whole, or refused with the number of the broken line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ParameterError
from snowcoder.filtering.csv_tables import read_rows
from snowcoder.filtering.rules import read_exceptions


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b'name\n"a\nb\n', 2, "quotation mark"),
        (b'name,why\na,"x\nb,y"\nc,z\n', 2, "quotation mark"),
        (b'name\na\n"b"c\n', 3, "quotation mark"),
        (b"why,name\nasked\n", 2, "found 1 fields; allowed: 2"),
        (b"name,why\na,b,c\n", 2, "found 3 fields; allowed: 2"),
        (b"name,why\na,b\n\nc\n", 4, "found 1 fields"),
        (b"name\nM\xfcller\n", 2, "not UTF-8"),
        ("name\na\n".encode("utf-16"), 1, "not UTF-8"),
        (b"name\na\nb\0\n", 3, "NUL"),
        (b"name,why,name\na,b,c\n", 1, "'name' more than once"),
        (b"name\n" + b"a" * 200_000 + b"\n", 2, "field larger than field limit"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(raw: bytes, line: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    with pytest.raises(ParameterError, match=rf"t\.csv:{line}: .*{message}"):
        read_rows(path, "a.b")


@pytest.mark.parametrize(
    ("raw", "rows"),
    [
        (b"\xef\xbb\xbfname\na\n", [(2, "a")]),
        (b"name\r\na\r\n\r\nb\r\n", [(2, "a"), (4, "b")]),
        (b"name\ra\rb", [(2, "a"), (3, "b")]),
        (b'\n name \n"a, ""b"""\n  \nc', [(3, 'a, "b"'), (5, "c")]),
        ("name\na\u2028b\x0bc\n".encode(), [(2, "a\u2028b\x0bc")]),
        (b"name\n", []),
    ],
)
def test_whole_tables(raw: bytes, rows: list[tuple[int, str]], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    assert read_rows(path, "a.b") == (["name"], [(line, {"name": text}) for line, text in rows])


def test_a_table_that_is_not_there_names_its_parameter(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"none\.csv: cannot be read .*; a\.b names this table"):
        read_rows(tmp_path / "none.csv", "a.b")


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(raw)
    try:
        columns, rows = read_rows(path, "a.b")
    except ParameterError:
        return
    assert all(list(row) == columns for _, row in rows)


def test_a_short_row_of_the_exceptions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.csv"
    path.write_text("language,threshold,value,source\npython,max_lines,5\n")
    with pytest.raises(ParameterError, match=r"exceptions\.csv:2: found 3 fields; allowed: 4"):
        read_exceptions(path)

"""snowcoder.corpus.wheel_table, and the two pinned sets of wheels in the repository."""

from pathlib import Path

import pytest

from snowcoder.corpus.wheel_table import canonical_name, read_lock, read_wheel_table
from snowcoder.errors import SourceError
from snowcoder.source_files.licences import licence_class

DIGEST = "0" * 64
HEADER = "name,version,licence,download_rank,rank_source,rank_date\n"


def test_a_lock_is_read_as_pip_reads_it(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text(f"# comment\nB_b==2.0 \\\n    --hash=sha256:{DIGEST}\n\na==1.0 --hash=sha256:{DIGEST}  # why\n")
    assert [(wheel.name, wheel.version) for wheel in read_lock(lock)] == [("a", "1.0"), ("b-b", "2.0")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a==1.0\n", r"a\.lock:1: found 'a==1\.0'; allowed: name==version --hash=sha256"),
        ("", "pins no wheel"),
        (f"a==1 --hash=sha256:{DIGEST}\nA==2 --hash=sha256:{DIGEST}\n", r"a\.lock:2: a is pinned twice"),
        (f"# one\na==1 \\\n  --hash=sha256:{DIGEST}\n\nb\n", r"a\.lock:5: found 'b'"),
        (f"a==1 --hash=sha256:{DIGEST}\n# caf\xe9\n".encode("latin-1"), r"a\.lock:2: not UTF-8 \(byte 0xe9\)"),
        (f"a==1 --hash=sha256:{DIGEST}\n".encode("utf-16"), r"a\.lock:1: not UTF-8"),
        ("a==1 \\\n", r"a\.lock:2: found 'a==1'"),
    ],
)
def test_a_bad_lock_is_named_with_its_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    lock = tmp_path / "a.lock"
    lock.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SourceError, match=message):
        read_lock(lock)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,version\n", "columns missing: licence, download_rank"),
        (HEADER + "a,1,GPL-3.0,,,\n", r"a\.csv:2: a: licence 'GPL-3.0' is not permissive"),
        *[
            (
                HEADER + f"b,1,MIT,,,\na,1,MIT,{rank},,\n",
                rf"a\.csv:3: a: download_rank: found '{rank[:40]}'; allowed: a whole number",
            )
            for rank in ("first", "²", "0", "-1", "1.5", "٣", "nan", str(2**31), "9" * 400)
        ],
        (HEADER + "a,1,MIT,,," + "x" * 140_000 + "\n", r"a\.csv:2: not CSV \(field larger than field limit"),
        (HEADER + '"a,1,MIT,,,\nb,1,MIT,,,\n', r"a\.csv:2: not CSV \(unexpected end of data"),
        (HEADER + "a,1\n", r"a\.csv:2: found 2 fields"),
        (HEADER + "a,1,MIT,,,,,\n", r"a\.csv:2: found 8 fields"),
        (HEADER + "a,1,MIT,,,\nA,2,MIT,,,\n", r"a\.csv:3: a occurs twice"),
        ((HEADER + "a,1,MIT,,,caf\xe9\n").encode("latin-1"), r"a\.csv:2: not UTF-8 \(byte 0xe9\)"),
        ("", "columns missing: name"),
    ],
)
def test_a_bad_table_is_named_with_its_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    table = tmp_path / "a.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SourceError, match=message):
        read_wheel_table(table)


def test_tables_may_begin_with_a_byte_order_mark_and_have_lines_of_windows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + HEADER.replace("\n", "\r\n").encode() + b'a,1,MIT,7,"of, a\r\nlist",\r\n')
    assert read_wheel_table(tmp_path / "a.csv")["a"].download_rank == 7
    (tmp_path / "a.lock").write_bytes(b"\xef\xbb\xbf" + f"a==1 \\\r\n --hash=sha256:{DIGEST}\r\n".encode())
    assert [wheel.name for wheel in read_lock(tmp_path / "a.lock")] == ["a"]


def test_a_missing_lock_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_lock(tmp_path / "none.lock")


def test_canonical_name() -> None:
    assert canonical_name("Jaraco.Text__x") == "jaraco-text-x"


@pytest.mark.parametrize(("stem", "at_least"), [("corpus", 45), ("positives", 12)])
def test_the_pinned_sets_agree_with_their_tables(repository_root: Path, stem: str, at_least: int) -> None:
    lock = read_lock(repository_root / "data" / f"{stem}.lock")
    table = read_wheel_table(repository_root / "data" / f"{stem}.csv")
    assert len(lock) >= at_least
    assert {(wheel.name, wheel.version) for wheel in lock} == {(entry.name, entry.version) for entry in table.values()}
    assert all(licence_class(entry.licence) == "permissive" for entry in table.values())


def test_no_distribution_is_in_the_corpus_and_among_the_positives(repository_root: Path) -> None:
    corpus, positives = ({wheel.name for wheel in read_lock(repository_root / "data" / name)} for name in ("corpus.lock", "positives.lock"))
    assert not corpus & positives

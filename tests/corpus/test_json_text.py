"""snowcoder.corpus.json_text and .jsonl: a file's content decides how it is read, and every row is found or counted."""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.corpus import json_text
from snowcoder.corpus.columns import Columns, Layout
from snowcoder.corpus.json_text import split_rows
from snowcoder.corpus.jsonl import read_jsonl
from snowcoder.corpus.repository_limits import LeftOut, Refused
from snowcoder.errors import SourceError

LINES = b'{"content": "a"}\n{"content": "b"}\n'


def zstd(raw: bytes) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.CompressedOutputStream(stream, "zstd") as compressed:
        compressed.write(raw)
    return stream.getvalue().to_pybytes()


def tar(raw: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("rows.jsonl")
        entry.size = len(raw)
        archive.addfile(entry, io.BytesIO(raw))
    return stream.getvalue()


SKIPPED_FRAME = struct.pack("<II", 0x184D2A50, 4) + b"skip"
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda raw: raw,
    "gzip": gzip.compress,
    "gzip of two members": lambda raw: gzip.compress(raw[:20]) + gzip.compress(raw[20:]),
    "zstd": zstd,
    "zstd of three frames": lambda raw: zstd(raw[:20]) + zstd(raw[20:25]) + zstd(raw[25:]),
    "zstd after a frame to skip": lambda raw: SKIPPED_FRAME + zstd(raw),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "with a byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "after blank lines": lambda raw: b"\n \r\n" + raw,
}


def read(path: Path, rows: str | None = None, max_file_bytes: int = 1000) -> tuple[list[Any], LeftOut]:
    skipped = LeftOut()
    return list(read_jsonl(path, Layout(Columns(), rows), max_file_bytes, skipped)), skipped


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.zst", "rows.json.gz"])
def test_magic_bytes_decide_and_not_the_name(packing: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PACKINGS[packing](LINES))
    assert read(tmp_path / name)[0] == [{"content": "a"}, {"content": "b"}]


@pytest.mark.parametrize("packing", ["gzip", "zstd", "bzip2", "xz"])
def test_a_compressed_file_that_is_cut_off_is_an_error(packing: str, tmp_path: Path) -> None:
    raw = PACKINGS[packing](LINES * 100)
    (tmp_path / "rows.jsonl").write_bytes(raw[:-3])
    with pytest.raises(SourceError, match=r"rows\.jsonl: damaged or cut off"):
        read(tmp_path / "rows.jsonl")


def test_files_of_a_folder_that_are_not_read_are_counted_by_extension(tmp_path: Path) -> None:
    for name, raw in {
        "a.jsonl": LINES,
        "b.json": b'{"content": "json"}\n',
        "sub/c.jsonl.zst": zstd(b'{"content": "zst"}\n'),
        "sub/D.NDJSON": b'{"content": "upper"}\n',
        "e.csv": b"content\n",
        "f.csv": b"content\n",
        "g.parquet": b"PAR1",
        "README": b"",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    rows, skipped = read(tmp_path)
    assert sorted(row["content"] for row in rows) == ["a", "b", "json", "upper", "zst"]
    assert skipped.files_not_read == {".csv": 2, ".parquet": 1, "no extension": 1}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"PAR1 and more", "not JSON lines but Parquet: use `kind: parquet`"),
        (b"PK\x03\x04", "not JSON lines but a zip archive"),
        (b"\x04\x22\x4d\x18", "compressed by LZ4"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS: `git lfs pull`"),
        (tar(LINES), "a tar archive: unpack it"),
        (gzip.compress(tar(LINES), mtime=0), "a tar archive: unpack it"),  # bytes that name a test hold no time
        (LINES.decode().encode("utf-16"), "UTF-16; JSON is read as UTF-8: convert it with `iconv"),
        (LINES.decode().encode("utf-16-le"), "UTF-16"),
        (LINES.decode().encode("utf-32"), "iconv -f UTF-32"),
        (b"\x00\x00\xfe\xff" + LINES.decode().encode("utf-32-be"), "iconv -f UTF-32"),
        (LINES.decode().encode("utf-16-be"), "UTF-16"),
        (gzip.compress(b"[" + LINES.decode().encode("utf-16-be"), mtime=0), None),
        (LINES[:-1] + b'\n{"content": "c', "ends in the middle of a line"),
        (b'[{"content": "a"}, {"content"', "the file ends inside a value"),
    ],
)
def test_what_is_no_json_of_ours_is_named(raw: bytes, message: str | None, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(raw)
    with pytest.raises(SourceError, match=f"rows.jsonl.*{message}" if message else "rows.jsonl"):
        read(tmp_path / "rows.jsonl")


def test_every_beginning_of_a_row_is_cut_off(tmp_path: Path) -> None:
    row = '{"content": "\\u00e9 é\\n", "a": [true, false, null, -1.5e+3, NaN, {"b": {}}], "c": -Infinity}'.encode()
    for end in range(1, len(row)):
        (tmp_path / "rows.jsonl").write_bytes(LINES + row[:end])
        with pytest.raises(SourceError, match=r"rows\.jsonl:3: ends in the middle of a line"):
            read(tmp_path / "rows.jsonl")


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (b"content,path\n1,2", "malformed_row"),
        (b"{'content': 'a'}", "malformed_row"),
        (b'{"content": "a"}{"content": "b"}', "malformed_row"),
        (b'{"content": "\xe9"}', "not_utf8"),
    ],
)
def test_a_last_line_of_another_format_is_not_called_cut_off(last: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(LINES + last)
    assert {row.reason for row in read(tmp_path / "rows.jsonl")[0] if isinstance(row, Refused)} == {reason}


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_and_documents_over_several_lines_are_read_too(indent: int | None, tmp_path: Path) -> None:
    values: list[Any] = [{"content": 'b [}\\" ,\n'}, {"content": "c", "more": [{"d": [1, {}]}]}, 3, [4], {}]
    (tmp_path / "array.json").write_text(json.dumps(values, indent=indent))
    rows, _ = read(tmp_path / "array.json")
    assert [row for row in rows if isinstance(row, dict)] == [values[0], values[1], {}]
    assert [row.reason for row in rows if isinstance(row, Refused)] == ["malformed_row", "malformed_row"]
    (tmp_path / "documents.json").write_text("\n".join(json.dumps(value, indent=1) for value in values[:2]))
    assert read(tmp_path / "documents.json")[0] == values[:2]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
)


@given(
    st.lists(st.dictionaries(st.text('ab"\\[]{},', max_size=3), JSON, max_size=3), max_size=4),
    st.sampled_from([None, 1]),
    st.integers(1, 9),
)
def test_the_elements_of_an_array_are_found_wherever_a_chunk_ends(rows: list[Any], indent: int | None, chunk_bytes: int) -> None:
    raw = json.dumps(rows, indent=indent, ensure_ascii=False).encode()
    before, json_text.CHUNK_BYTES = json_text.CHUNK_BYTES, chunk_bytes
    try:
        found = [text for _, text in split_rows(io.BufferedReader(io.BytesIO(raw)), Path("x"), 10_000)]  # type: ignore[arg-type]
    finally:
        json_text.CHUNK_BYTES = before
    assert [json.loads(text) for text in found if isinstance(text, bytes)] == rows


def test_an_element_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"content": "x" * 500_000}, {"content": "b"}]))
    rows, _ = read(tmp_path / "a.json")
    assert [row.reason if isinstance(row, Refused) else row["content"] for row in rows] == ["too_large", "b"]


def test_rows_that_cannot_be_taken_have_reasons_of_their_own(tmp_path: Path) -> None:
    lines = [
        b'{"content": "a", "content": "b"}',
        b'{"content": "a", "meta": {"x": 1, "x": 1}}',
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"content": "\xff"}',
        b"not json",
        b'["content"]',
        b'{"content": "ok", "n": ' + b"9" * 400 + b"}",
    ]
    (tmp_path / "rows.jsonl").write_bytes(b'{"content": "first"}\n' + b"".join(line + b"\n" for line in lines))
    rows, _ = read(tmp_path / "rows.jsonl")
    reasons = [row.reason if isinstance(row, Refused) else row["content"] for row in rows]
    assert reasons == [
        *("first", "duplicate_keys", "duplicate_keys", "nested_too_deep", "malformed_row", "not_utf8", "malformed_row", "malformed_row"),
        "ok",
    ]
    assert rows[2].example == "x"

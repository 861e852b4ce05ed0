"""snowcoder.corpus.columns through the sources: the layouts of published code corpora, and the messages for wrong columns."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowcoder.corpus.columns import FIRST_ROWS, Columns, Layout, keys_of_value
from snowcoder.corpus.repository_limits import Refused
from snowcoder.errors import SourceError
from tests.corpus.row_sources import KINDS, fetch, write_source

CODE = "x = 1\n"
# A row is a repository, as in Stack v3; one file lacks what is optional
REPOSITORIES = [
    {
        "repo_path": "owner/one",
        "path": "of the repository",
        "stars": 7,
        "files": [
            {"content": CODE, "file_path": "/src/a.py", "language": "Python", "detected_licenses": ["MIT", "Apache-2.0"]},
            {"content": "int x;\n", "file_path": "src/b.cpp", "language": "C++", "detected_licenses": []},
        ],
    },
    {"repo_path": "owner/two", "path": "of the repository", "stars": 2, "files": []},
    {
        "repo_path": "owner/three",
        "path": "of the repository",
        "stars": None,
        "files": [{"content": None, "file_path": "gone.py", "language": "Python", "detected_licenses": None}],
    },
]
BY_PREFIX = {"content": "files.content", "path": "files.file_path", "language": "files.language", "licence": "files.detected_licenses"}
PLAIN = {"content": "content", "path": "file_path", "language": "language", "licence": "detected_licenses"}


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [BY_PREFIX, PLAIN])
def test_a_row_that_is_a_repository_gives_its_files(kind: str, columns: dict[str, str], tmp_path: Path) -> None:
    source = write_source(tmp_path / "rows", kind, REPOSITORIES) | {"rows": "files"}
    metrics, files = fetch(source | {"columns": columns | {"repository": "repo_path", "popularity": "stars"}}, tmp_path)
    assert [(file["repository"], file["path"], file["language"], file["licence"], file["popularity"]) for file in files] == [
        ("owner/one", "src/a.py", "python", "Apache-2.0 AND MIT", 7.0),
        ("owner/one", "src/b.cpp", "cpp", "", 7.0),
    ]
    assert (metrics["rows_in"], metrics["dropped"]) == (4, {"no_content": 1, "no_files": 1})


def test_a_name_can_be_a_file_s_or_its_row_s(tmp_path: Path) -> None:
    layout = Layout(Columns(content="content", repository="..name", path="name", revision="files.commit", licence="licence"), "files")
    row = {"name": "row", "licence": "MIT", "commit": "row's", "files": [{"content": "a", "name": "file"}]}
    assert list(layout.files(row)) == [{"content": "a", "repository": "row", "path": "file", "licence": "MIT"}]


def test_names_of_structs_have_dots() -> None:
    row = {"text": "x", "meta": {"repo": "o/n", "path.0": "p.py"}, "a.b": "q.py"}
    columns = Columns(content="text", repository="meta.repo", path="meta.path.0", licence="a.b", revision="meta.none")
    assert list(Layout(columns).files(row)) == [{"content": "x", "repository": "o/n", "path": "p.py", "licence": "q.py"}]


def test_a_struct_of_lists_is_read_as_a_list_of_structs() -> None:
    layout = Layout(Columns(content="content"), "files")
    assert list(layout.files({"files": {"content": ["a", "b"], "path": ["p", "q"]}})) == [{"content": "a"}, {"content": "b"}]
    assert list(layout.files({"files": ["no struct"]})) == [Refused("malformed_row", "str")]
    ragged = layout.files({"files": {"content": ["a", "b"], "path": ["p"]}})
    assert [file.reason for file in ragged if isinstance(file, Refused)] == ["no_files"]


@pytest.mark.parametrize("kind", ["parquet", "huggingface"])
def test_a_sequence_of_the_datasets_library_is_a_list_of_files(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    rows = [{"repo": "o/n", "files": {"content": ["x = 1\n", "y = 1\n"], "path": ["x.py", "y.py"]}}]
    source = write_source(tmp_path / "rows", kind, rows) | {"rows": "files"}
    _, files = fetch(source | {"columns": {"content": "files.content", "path": "path", "repository": "repo"}}, tmp_path)
    assert [(file["repository"], file["path"], file["content"]) for file in files] == [
        ("o/n", "x.py", "x = 1\n"),
        ("o/n", "y.py", "y = 1\n"),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (
            "files",
            {"content": "files.contents"},
            r"missing: files\.contents; found in an element of files: content, detected_licenses, file_path",
        ),
        (
            "files",
            {"content": "body"},
            r"missing: body; found in an element of files: content, .*; found in its row: files, path, repo_path",
        ),
        ("file", {"content": "content"}, r"missing: file; found: files, path, repo_path, stars; fix fetch_corpus\.source\.rows"),
        ("stars", {"content": "content"}, r"stars is not a list of structs"),
        (None, {"content": "files.content"}, r"found: files, path, repo_path, stars; .*`rows: files` takes each as a file"),
        (None, {"content": "content"}, r"`rows: files` takes each as a file"),
    ],
)
def test_a_wrong_name_is_refused_with_the_keys_of_its_level(
    kind: str, rows: str | None, columns: Any, message: str, tmp_path: Path
) -> None:
    source = write_source(tmp_path / "rows", kind, REPOSITORIES) | {"rows": rows, "columns": columns}
    with pytest.raises(SourceError, match=message):
        fetch(source, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nested", [False, True])
def test_rows_whose_contents_are_elsewhere_say_so(kind: str, nested: bool, tmp_path: Path) -> None:
    row = {"blob_id": "0123", "path": "/src/a.py", "repo_name": "o/n", "src_encoding": "UTF-8", "language": "Python"}
    source = write_source(tmp_path / "rows", kind, [{"repo": "o/n", "files": [row]}] if nested else [row])
    with pytest.raises(
        SourceError, match=r"columns missing: content.*blob_id means that the contents are stored elsewhere .*Software Heritage"
    ):
        fetch(source | {"rows": "files" if nested else None, "columns": {"content": "content"}}, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_stack_v2_paths_begin_with_a_slash(kind: str, tmp_path: Path) -> None:
    row = {"content": CODE, "path": "/src/a.py", "repo_name": "o/n", "language": "Python", "license_type": "permissive", "int_score": 4}
    source = write_source(tmp_path / "rows", kind, [row])
    columns = {"content": "content", "path": "path", "repository": "repo_name", "language": "language", "licence": "license_type"}
    metrics, files = fetch(source | {"columns": columns}, tmp_path)
    assert [(file["repository"], file["path"], file["language"]) for file in files] == [("o/n", "src/a.py", "python")]
    assert metrics["dropped"] == {}


@pytest.mark.parametrize("swap", [False, True])
def test_a_missing_optional_key_is_null_in_any_order_of_rows(swap: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ['{"text":"a"}\n', '{"text":"b","license":"MIT"}\n']
    (tmp_path / "rows.jsonl").write_text("".join(reversed(lines) if swap else lines))
    columns = {"content": "text", "licence": "license"}
    source = {"kind": "jsonl", "path": str(tmp_path / "rows.jsonl"), "columns": columns, "language": "python"}
    _, files = fetch(source, tmp_path)
    assert {file["content"]: file["licence"] for file in files} == {"a": "", "b": "MIT"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_column_that_some_files_of_a_folder_have_is_null_in_the_others(first: str, tmp_path: Path) -> None:
    rows = {"a": [{"text": "a"}], "b": [{"text": "b", "license": "MIT"}]}
    for index, name in enumerate(sorted(rows, key=lambda name: name != first)):
        (tmp_path / "in").mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows[name]), tmp_path / "in" / f"{index}.parquet")
    source = {"kind": "parquet", "path": str(tmp_path / "in"), "columns": {"content": "text", "licence": "license"}, "language": "py"}
    assert {file["content"]: file["licence"] for file in fetch(source, tmp_path)[1]} == {"a": "", "b": "MIT"}
    with pytest.raises(SourceError, match=r"0\.parquet: columns missing: licences; found: "):
        fetch(source | {"columns": {"content": "text", "licence": "licences"}}, tmp_path)


def test_an_optional_key_that_no_row_has_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_source(tmp_path / "rows", "jsonl", [{"text": "a"}, {"text": "b"}])
    fetch(source | {"columns": {"content": "text", "licence": "licens"}, "language": "python"}, tmp_path)
    assert "WARNING: fetch_corpus: none of 2 rows has them: " in (said := capsys.readouterr().err)
    assert "columns missing: licens; found: text" in said


def test_content_that_comes_late_is_found_and_content_that_never_comes_ends_early(tmp_path: Path) -> None:
    source = {"kind": "jsonl", "path": str(tmp_path / "rows.jsonl"), "columns": {"content": "text"}, "language": "python"}
    without = json.dumps({"body": "x"}) + "\n"
    (tmp_path / "rows.jsonl").write_text(without * (FIRST_ROWS - 1) + '{"text": "late"}\n')
    metrics, files = fetch(source, tmp_path)
    assert ([file["content"] for file in files], metrics["dropped"]) == (["late"], {"no_content": FIRST_ROWS - 1})
    (tmp_path / "rows.jsonl").write_text(without * FIRST_ROWS + '{"text": "later"}\n')
    with pytest.raises(SourceError, match=rf"rows\.jsonl: none of the first {FIRST_ROWS} rows has it: columns missing: text; found: body"):
        fetch(source, tmp_path)


def test_parquet_reads_no_part_of_a_struct_that_nothing_names(tmp_path: Path) -> None:
    """Neither its bytes nor a value that Python cannot hold."""
    stamps = pa.array([[{"content": CODE, "file_path": "a.py", "visited": 1}]], pa.list_(pa.struct([
        ("content", pa.string()), ("file_path", pa.string()), ("visited", pa.timestamp("ns"))])))  # fmt: skip
    pq.write_table(pa.table({"files": stamps, "seen": pa.array([1], pa.timestamp("ns"))}), tmp_path / "rows.parquet")
    source = {"kind": "parquet", "path": str(tmp_path / "rows.parquet"), "rows": "files", "columns": {"path": "file_path"}}
    assert [file["path"] for file in fetch(source, tmp_path)[1]] == ["a.py"]


def test_text_that_is_not_utf8_costs_its_own_row_alone(tmp_path: Path) -> None:
    raw = pa.array([b"x = 1\n", b"caf\xe9", b"y = 2\n"], pa.binary())
    text = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    paths = pa.array(["a.py", "b.py", "c.py"])
    pq.write_table(pa.table({"content": text, "path": paths}), tmp_path / "flat.parquet")
    files = pa.StructArray.from_arrays([text, paths], names=["content", "path"])
    pq.write_table(pa.table({"files": pa.ListArray.from_arrays([0, 3], files)}), tmp_path / "nested.parquet")
    for name, rows in (("flat", None), ("nested", "files")):
        source = {"kind": "parquet", "path": str(tmp_path / f"{name}.parquet"), "rows": rows, "columns": {"path": "path"}}
        metrics, found = fetch(source, tmp_path / name)
        assert {file["path"]: file["content"] for file in found} == {"a.py": "x = 1\n", "c.py": "y = 2\n"}
        assert metrics["dropped"] == {"not_utf8": 1}


def test_columns_of_bytes_are_text_where_they_are_utf8(tmp_path: Path) -> None:
    rows = [{"content": b"x = 1\n", "path": b"a.py", "repo": b"o/n", "lang": b"Python", "licences": [b"MIT"]}]
    rows.append(rows[0] | {"path": b"caf\xe9.py"})
    columns = {"path": "path", "repository": "repo", "language": "lang", "licence": "licences"}
    metrics, files = fetch(write_source(tmp_path / "rows", "parquet", rows) | {"columns": columns}, tmp_path)
    assert [(file["repository"], file["path"], file["language"], file["licence"]) for file in files] == [("o/n", "a.py", "python", "MIT")]
    assert metrics["dropped"] == {"not_utf8": 1}


def test_keys_of_a_value_are_those_of_all_its_elements() -> None:
    value = {"a": 1, "b": [{"c": 1}, {"d": {"e": 2}}], "f": []}
    assert keys_of_value(value) == {"a": None, "b": {"[]": {"c": None, "d": {"e": None}}}, "f": None}

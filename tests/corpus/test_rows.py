"""snowcoder.corpus.rows, .spool, .jsonl, .parquet, .huggingface through their sources: every row is a file or is counted."""

import gzip
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowcoder.corpus.columns import Columns, Layout
from snowcoder.corpus.jsonl import read_jsonl
from snowcoder.corpus.repository_limits import LeftOut, Refused
from snowcoder.corpus.sources import FetchCorpusParams, fetch_files
from snowcoder.corpus.spool import Spool
from snowcoder.errors import ParameterError, SourceError
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SourceFile, make_source_file
from snowcoder.storage.shards import read_manifest, read_table

COLUMNS = {
    "content": "text",
    "repository": "repo",
    "path": "path",
    "language": "lang",
    "licence": "licenses",
    "popularity": "stars",
    "revision": None,
}
LIMITS = {
    "max_files_per_repository": 3,
    "max_bytes_per_repository": 10_000,
    "max_file_bytes": 1000,
    "languages": ["python", "cpp", "csharp"],
}


def row(repo: str, path: str, text: Any, lang: str = "Python", **more: Any) -> dict[str, Any]:
    return {"text": text, "repo": repo, "path": path, "lang": lang, "licenses": ["MIT"], "stars": 3} | more


ROWS = [
    row("o/a", "a.py", "x = 1\n"),
    row("o/b", "b.py", "y = 1\n"),
    row("o/a", "b.cc", "int x;\n", "C++", licenses=["MIT", "GPL-3.0-only"]),
    row("o/a", "c.cs", "class C {}\n", "C#", stars=None),
    row("o/a", "d.py", "w = 1\n"),  # one of these four is over the limit of files
    row("o/b", "b.py", "y = 2\n"),  # the same identity again
    row("o/b", "null.py", None),
    row("o/b", "nul.py", "a = '\0'\n"),
    row("o/b", "x.pl", "print 1;\n", "Perl"),
    row("o/b", "../up.py", "z = 1\n"),
    row("o/b", "vendor/v.py", "z = 1\n"),
    row("o/b", "big.py", "z" * 1001),
]
SKIPPED = {
    **{"over_files_per_repository": 1, "duplicate_id": 1, "no_content": 1, "binary": 1, "language_not_taken": 1},
    **{"unsafe_path": 1, "vendored": 1, "too_large": 1},
}


def params(source: dict[str, Any], **changes: Any) -> FetchCorpusParams:
    return validate({"source": source, "shards": 2, **LIMITS, **changes}, FetchCorpusParams, "fetch_corpus")


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    return path


@pytest.fixture(params=["jsonl", "jsonl.gz", "parquet", "huggingface"])
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The same rows, by every kind of source."""
    kind = request.param
    if kind == "huggingface":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        hub = tmp_path / "hub"
        write_parquet(hub / "data" / "train-00000-of-00002.parquet", ROWS[:5])
        write_parquet(hub / "data" / "train-00001-of-00002.parquet", ROWS[5:])
        write_parquet(hub / "data" / "test-00000-of-00001.parquet", ROWS[:1])
        (hub / "README.md").write_text("---\nlicense: mit\n---\n# Rows\n")
        return {"kind": "huggingface", "dataset": str(hub), "revision": None, "columns": COLUMNS}
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl.gz":
        path.write_bytes(gzip.compress(write_jsonl(tmp_path / "plain", ROWS).read_bytes()))
        (tmp_path / "plain").unlink()
    else:
        (write_parquet if kind == "parquet" else write_jsonl)(path, ROWS)
    return {"kind": kind.split(".")[0], "path": str(path), "columns": COLUMNS}


def test_every_row_is_a_file_or_is_counted(source: dict[str, Any], tmp_path: Path) -> None:
    metrics = fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")
    assert metrics["dropped"] == SKIPPED
    assert metrics["rows_in"] == metrics["rows_out"] + sum(metrics["dropped"].values()) == len(ROWS)
    files = {(file["repository"], file["path"]): file for file in read_table(tmp_path / "out").to_pylist()}
    assert len(files) == metrics["rows_out"] == 4
    assert files[("o/b", "b.py")]["content"] in ("y = 1\n", "y = 2\n")
    if ("o/a", "b.cc") in files:
        assert files[("o/a", "b.cc")]["licence"] == "GPL-3.0-only AND MIT"
        assert files[("o/a", "b.cc")]["language"] == "cpp"
    assert {file["popularity"] for file in files.values()} <= {3.0, 0.0}
    assert not list((tmp_path / "downloads").iterdir())


def test_the_order_of_rows_does_not_count(tmp_path: Path) -> None:
    written = []
    for seed in (1, 2):
        shuffled = list(ROWS)
        random.Random(seed).shuffle(shuffled)
        source = {"kind": "jsonl", "path": str(write_jsonl(tmp_path / f"{seed}.jsonl", shuffled)), "columns": COLUMNS}
        metrics = fetch_files(params(source), tmp_path / f"out{seed}", tmp_path / "downloads")
        written.append((metrics, read_manifest(tmp_path / f"out{seed}")))
    assert written[0] == written[1]


def test_rows_without_an_origin_are_told_apart_by_their_content(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [{"content": "x = 1\n"}, {"content": "y = 1\n"}, {"content": "x = 1\n"}])
    columns = {"content": "content", "language": None}
    with pytest.raises(
        Exception, match=r"no file is left of 3 rows: language_unknown 3 .*name source\.columns\.language or source\.columns\.path"
    ):
        fetch_files(params({"kind": "jsonl", "path": str(path), "columns": columns}), tmp_path / "none", tmp_path / "d")
    rows = [{"content": one["content"], "name": "a.py"} for one in map(json.loads, path.read_text().splitlines())]
    write_jsonl(path, rows)
    metrics = fetch_files(params({"kind": "jsonl", "path": str(path), "columns": {"path": "name"}}), tmp_path / "out", tmp_path / "d")
    assert (metrics["rows_out"], metrics["repositories"], metrics["dropped"]) == (2, 2, {"duplicate_id": 1})


def test_only_repositories_and_max_rows(tmp_path: Path) -> None:
    source = {"kind": "jsonl", "path": str(write_jsonl(tmp_path / "rows.jsonl", ROWS)), "columns": COLUMNS}
    metrics = fetch_files(params(source, only_repositories=["o/b"]), tmp_path / "one", tmp_path / "d")
    assert (metrics["rows_out"], metrics["dropped"]["repository_not_taken"]) == (1, 4)
    assert fetch_files(params(source | {"max_rows": 2}), tmp_path / "two", tmp_path / "d")["rows_out"] == 2


def test_a_missing_column_is_named(source: dict[str, Any], tmp_path: Path) -> None:
    wrong = params(source | {"columns": COLUMNS | {"content": "body"}})
    with pytest.raises(SourceError, match=r"columns missing: body; found: lang, licenses, path.*fix fetch_corpus\.source\.columns"):
        fetch_files(wrong, tmp_path / "out", tmp_path / "downloads")


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_a_shard_cut_off_in_the_middle_is_an_error_that_names_it(ending: str, tmp_path: Path) -> None:
    whole = [row("o/a", f"{number}.py", f"x = {random.Random(number).random()}\n") for number in range(200)]
    (write_parquet if ending == "parquet" else write_jsonl)(tmp_path / "whole", whole)
    raw = (tmp_path / "whole").read_bytes()
    folder = tmp_path / "shards"
    folder.mkdir()
    raw = gzip.compress(raw) if ending.endswith("gz") else raw
    (folder / f"0.{ending}").write_bytes(raw)
    (folder / f"1.{ending}").write_bytes(raw[: len(raw) // 2])
    source = {"kind": ending.split(".")[0], "path": str(folder), "columns": COLUMNS}
    with pytest.raises(SourceError, match=rf"1\.{ending}.*cut off"):
        fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "but a pointer of Git LFS"),
        (b"PK\x03\x04", "but a zip"),
        (b"{", "use `kind: jsonl`"),
    ],
)
def test_what_is_no_parquet_is_named(head: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(head)
    with pytest.raises(SourceError, match=rf"a\.parquet: not Parquet.*{what}"):
        fetch_files(params({"kind": "parquet", "path": str(tmp_path), "columns": COLUMNS}), tmp_path / "out", tmp_path / "downloads")


def test_a_folder_of_the_hub_s_layout_that_cannot_be_read_says_what_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pq.write_table(pa.table({"text": ["a = 1\n"]}), tmp_path / "validation-00000-of-00001.parquet")
    source = {"kind": "huggingface", "dataset": str(tmp_path), "revision": None, "columns": {"content": "text"}}
    with pytest.raises(SourceError, match=r"(?s)validation.*check folder, configuration and split; `kind: parquet`"):
        fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")


def test_labels_of_the_datasets_library_are_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    label = datasets.ClassLabel(names=["Ada", "Python"])
    rows = {"text": ["a = 1\n", "b = 1\n"], "lang": [1, 0]}
    features = datasets.Features({"text": datasets.Value("string"), "lang": label})
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "train.parquet"))
    source = {"kind": "huggingface", "dataset": str(tmp_path), "revision": None, "columns": {"content": "text", "language": "lang"}}
    metrics = fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")
    assert (metrics["rows_out"], metrics["languages_not_taken"]) == (1, {"Ada": 1})


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(["a = 1\n"]), pa.array(["b = 1\n"])], names=["text", "text"]), tmp_path / "a.parquet")
    source = {"kind": "parquet", "path": str(tmp_path), "columns": {"content": "text"}, "language": "python"}
    with pytest.raises(SourceError, match=r"a\.parquet: two columns are named text"):
        fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")


def test_lines_that_are_no_rows_are_counted(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", ROWS[:1])
    broken = [b"{not json}\n", b"[1, 2]\n", b"\n", b'"text"\n', b'{"text": "\\ud800", "repo": "o/a", "path": "s.py", "lang": "Python"}\n']
    path.write_bytes(path.read_bytes() + b"".join(broken) + b"\xff\xfe{}\n" + b"[" * 60_000 + b"\n")
    source = {"kind": "jsonl", "path": str(path), "columns": COLUMNS}
    metrics = fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")
    assert (metrics["rows_out"], metrics["dropped"]) == (1, {"malformed_row": 3, "lone_surrogate": 1, "not_utf8": 1, "nested_too_deep": 1})


def test_bytes_are_text_if_they_are_utf8(tmp_path: Path) -> None:
    rows = [row("o/a", f"{number}.py", raw) for number, raw in enumerate((b"\xef\xbb\xbfx = 1\n", b"caf\xe9\n"))]
    source = {"kind": "parquet", "path": str(write_parquet(tmp_path / "rows.parquet", rows)), "columns": COLUMNS}
    metrics = fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")
    assert metrics["dropped"] == {"not_utf8": 1}
    assert read_table(tmp_path / "out")["content"].to_pylist() == ["x = 1\n"]


@pytest.mark.parametrize("megabytes", [64, pytest.param(1024, marks=pytest.mark.slow)])
def test_a_huge_line_is_passed_over_and_not_held_in_memory(megabytes: int, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"  # one line in a small part of its size: a bomb as well
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(json.dumps(ROWS[0]).encode() + b'\n{"text": "')
        for _ in range(megabytes):
            stream.write(b"x" * (1 << 20))
        stream.write(b'"}\n' + json.dumps(ROWS[1]).encode() + b"\n")
    tracemalloc.start()
    rows = list(read_jsonl(path, Layout(Columns(content="text")), 1000, LeftOut()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.reason if isinstance(one, Refused) else one["path"] for one in rows] == ["a.py", "too_large", "b.py"]
    assert peak < 16 << 20


def test_no_file_at_the_path_is_an_error(tmp_path: Path) -> None:
    for kind in ("jsonl", "parquet"):
        with pytest.raises(SourceError, match="no file that ends in"):
            fetch_files(params({"kind": kind, "path": str(tmp_path), "columns": COLUMNS}), tmp_path / "out", tmp_path / "d")


@pytest.mark.parametrize("revision", [None, "main", "v1.0", "A" * 40])
def test_a_hub_revision_must_be_a_commit(revision: str | None) -> None:
    raw = {"kind": "huggingface", "dataset": "owner/name", "revision": revision, "columns": COLUMNS}
    with pytest.raises(ParameterError, match="allowed: a commit of 40 hex digits"):
        params(raw)
    assert params(raw | {"revision": "0" * 40}).source.kind == "huggingface"


def test_a_data_set_that_cannot_be_had_is_an_error_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    source = {"kind": "huggingface", "dataset": str(tmp_path / "empty"), "revision": None, "columns": COLUMNS}
    with pytest.raises(SourceError, match=r"data set .*empty.*cannot be read \(.*check folder, configuration and split"):
        fetch_files(params(source), tmp_path / "out", tmp_path / "downloads")


def file(number: int) -> SourceFile:
    return make_source_file(
        source="t",
        repository=f"r{number % 7}",
        path=f"{number}.py",
        language="python",
        content=f"x = {number}\n",
        licence="",
        download_rank=None,
        revision="",
    )


@pytest.mark.parametrize("buffer_bytes", [1, 50, 10**9])
def test_a_spool_gives_back_what_was_added_whatever_its_buffer(buffer_bytes: int, tmp_path: Path) -> None:
    files = [file(number) for number in range(100)]
    spool = Spool(tmp_path / "spool", buffer_bytes)
    for one in files:
        spool.add(int(one.repository[1:]), one)
    for bucket in range(8):
        assert spool.read(bucket) == [one for one in files if one.repository == f"r{bucket}"]
    assert (tmp_path / "spool").exists() is (buffer_bytes < 10**9)

"""snowcoder.corpus.rows: invalid values in a row, the language names that data sets use, and samples."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from snowcoder.corpus.rows import RowSample
from snowcoder.errors import EmptyResultError, ParameterError
from tests.corpus.row_sources import KINDS, fetch, write_source

COLUMNS = {"content": "content", "path": "path", "repository": "repo", "language": "lang", "popularity": "stars", "licence": "licence"}


def row(**changes: Any) -> dict[str, Any]:
    return {"content": "x = 1\n", "path": "a.py", "repo": "o/n", "lang": "Python"} | changes


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def jsonl(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return write_source(folder / "rows", "jsonl", rows) | {"columns": COLUMNS}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *[({key: f"a\ud800{key}"}, "lone_surrogate") for key in ("content", "path", "repo", "lang", "licence")],
        *[({"repo": f"o/{mark}n"}, "unsafe_repository") for mark in ("\0", "\n", "\t", "\u202e")],
        *[({"path": path}, "unsafe_path") for path in ("../a.py", "a\tb.py", "C:\\a.py", "/")],
        *[({"content": content}, "no_content") for content in (None, 5, ["x"], 10**400)],
        *[({"path": value}, "malformed_value") for value in ({"a": 1}, ["a.py", "b.py"], nested(400), [])],
        *[({"licence": value}, "malformed_value") for value in ({"stars": 5}, [nested(400)], [None])],
        ({"content": nested(400)}, "no_content"),
        ({"lang": "Perl"}, "language_not_taken"),
    ],
)
def test_a_row_that_cannot_be_taken_costs_itself_alone(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    metrics, files = fetch(jsonl(tmp_path, [row(path="first.py"), row(**changes), row(path="last.py")]), tmp_path)
    assert [file["path"] for file in files] == ["first.py", "last.py"]
    assert metrics["dropped"] == {reason: 1}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_nan_is_null(kind: str, tmp_path: Path) -> None:
    rows = [{"content": f"x = {index}\n", "repo": math.nan, "path": math.nan, "licence": math.nan} for index in range(2)]
    source = write_source(tmp_path / "rows", kind, rows) | {
        "columns": {"content": "content", "repository": "repo", "path": "path", "licence": "licence"}
    }
    _, files = fetch(source | {"language": "python"}, tmp_path)
    assert len({file["repository"] for file in files}) == 2
    assert all(file["repository"].startswith("unknown/") and file["licence"] == "" for file in files)


@pytest.mark.parametrize("value", [{"key": None, "name": None}, [{"spdx_id": None}], {}])
def test_an_object_of_nulls_states_no_licence(value: Any, tmp_path: Path) -> None:
    assert fetch(jsonl(tmp_path, [row(licence=value)]), tmp_path)[1][0]["licence"] == ""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<reponame>o/n<filename>a b/x.py<gh_stars>100-1000\nimport os\n", "import os\n"),
        ("<filename>x.py\n\nimport os\n", "\nimport os\n"),
        ("<gh_stars>1000+\nx = 1\n<gh_stars>0\n", "x = 1\n<gh_stars>0\n"),
        ("<filename>x.py</filename>\n", "<filename>x.py</filename>\n"),
        ("x = 1\n<filename>x.py\n", "x = 1\n<filename>x.py\n"),
        ("<\n\nx\n", "<\n\nx\n"),
    ],
)
def test_a_first_line_of_starcoder_s_metadata_is_no_part_of_the_file(content: str, code: str, tmp_path: Path) -> None:
    assert fetch(jsonl(tmp_path, [row(content=content)]), tmp_path)[1][0]["content"] == code


def test_repositories_that_are_named_and_not_found_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(), row(repo="o/other")]
    assert fetch(jsonl(tmp_path, rows), tmp_path, only_repositories=["o/n", "O/Other"])[0]["rows_out"] == 1
    assert "only_repositories: no file of O/Other was found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "popularity"),
    [(3, 3.0), (3.5, 3.5), ("12", 12.0), (0, 0.0), (None, 0.0), ("", 0.0)]
    + [(value, None) for value in (math.nan, math.inf, -math.inf, -1, "many", True, [1], 10**400)],
)
def test_a_popularity_that_is_no_finite_number_from_0_counts_as_unknown(value: Any, popularity: float | None, tmp_path: Path) -> None:
    metrics, files = fetch(jsonl(tmp_path, [row(stars=value)]), tmp_path)
    assert files[0]["popularity"] == (popularity or 0.0)
    assert metrics.get("values_ignored") == ({"popularity": 1} if popularity is None else None)


def test_languages_are_named_as_data_sets_and_people_name_them(tmp_path: Path) -> None:
    names = ["Python", "py", ".py", "PY", "python3", "C++", "c++", "cpp", "CC", None, ""]
    rows = [row(path=f"{index}.py", lang=name) for index, name in enumerate(names)]
    metrics, files = fetch(jsonl(tmp_path, rows), tmp_path, languages=["py", "C++", ".py"])
    assert [file["language"] for file in sorted(files, key=lambda file: int(file["path"][:-3]))] == ["python"] * 5 + ["cpp"] * 4 + [
        "python"
    ] * 2
    assert metrics["dropped"] == {}


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_are_no_language_are_listed(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    rows = [row(path=f"{index}.x", lang=name, stars=1, licence="") for index, name in enumerate(["Perl"] * 3 + ["Ada", "Go"])]
    source = write_source(tmp_path / "rows", kind, rows) | {"columns": COLUMNS}
    with pytest.raises(
        EmptyResultError, match=r"language_not_taken 5 \(for example 'Perl' 3, 'Ada' 1, 'go' 1\); change fetch_corpus\.languages"
    ):
        fetch(source, tmp_path)
    assert fetch(source, tmp_path, languages=["golang"])[0]["languages_not_taken"] == {"Perl": 3, "Ada": 1}


def test_a_corpus_with_neither_path_nor_language_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"content": f"x = {index}\n"} for index in range(296)] + [
        {"content": f"#!/usr/bin/env python\n{index}\n"} for index in range(14)
    ]
    source = write_source(tmp_path / "rows", "parquet", rows) | {"columns": {"content": "content"}}
    metrics, _ = fetch(source, tmp_path)
    assert (metrics["rows_out"], metrics["dropped"]) == (14, {"language_unknown": 296})
    said = capsys.readouterr().err
    assert said.startswith(
        "WARNING: MOST OF THE INPUT IS LEFT OUT. fetch_corpus: 296 of 310 rows left out: language_unknown 296 (for example 'x = "
    )
    assert said.endswith("; name source.columns.language or source.columns.path, or set source.language for all rows\n")
    assert fetch(source | {"language": "py"}, tmp_path / "all")[0]["rows_out"] == 310


def repositories(n_repositories: int, files: int = 3) -> list[dict[str, Any]]:
    return [
        row(repo=f"o/{number}", path=f"{index}.py", content=f"{number, index}\n")
        for index in range(files)
        for number in range(n_repositories)
    ]


def taken(folder: Path, rows: list[dict[str, Any]], **changes: Any) -> tuple[set[tuple[str, str]], dict[str, int]]:
    metrics, files = fetch(jsonl(folder, rows) | changes, folder)
    return {(file["repository"], file["path"]) for file in files}, metrics["dropped"]


def test_a_sample_takes_whole_repositories_and_a_larger_fraction_more_of_them(tmp_path: Path) -> None:
    rows = repositories(200)
    samples = {}
    for fraction in (0.1, 0.3, 1):
        samples[fraction], dropped = taken(tmp_path / str(fraction), rows, sample={"fraction": fraction, "seed": 1})
        names = {repository for repository, _ in samples[fraction]}
        assert len(samples[fraction]) == 3 * len(names) == 600 - dropped.get("not_sampled", 0)
        assert 0.5 * fraction < len(names) / 200 < 1.5 * fraction
    assert samples[0.1] < samples[0.3] < samples[1]
    assert taken(tmp_path / "seed", rows, sample={"fraction": 0.3, "seed": 2})[0] not in (samples[0.3], set())
    assert taken(tmp_path / "reversed", rows[::-1], sample={"fraction": 0.3, "seed": 1})[0] == samples[0.3]


def test_a_sample_of_nested_rows_and_of_rows_without_repository(tmp_path: Path) -> None:
    nested = [{"repo": f"o/{number}", "files": [row(repo=None, path=f"{index}.py") for index in range(2)]} for number in range(50)]
    columns = {"content": "content", "path": "path", "repository": "..repo"}
    source = write_source(tmp_path / "rows", "jsonl", nested) | {
        "rows": "files",
        "columns": columns,
        "sample": {"fraction": 0.5, "seed": 3},
    }
    expected = {f"o/{number}" for number in range(50) if RowSample(fraction=0.5, seed=3).takes(f"o/{number}")}
    _, files = fetch(source, tmp_path)
    assert {file["repository"] for file in files} == expected
    assert len(files) == 2 * len(expected)
    lone = jsonl(tmp_path / "lone", [{"content": f"{number}\n"} for number in range(100)]) | {"language": "python"}
    metrics, _ = fetch(lone | {"columns": {}, "sample": {"fraction": 0.5, "seed": 3}}, tmp_path / "lone")
    assert 30 < metrics["rows_out"] < 70
    metrics, _ = fetch(lone | {"columns": {}, "sample": {"fraction": 0.5, "seed": 3}, "max_rows": 20}, tmp_path / "head")
    assert metrics["rows_in"] == 20


@pytest.mark.parametrize("sample", [{"fraction": 0, "seed": 1}, {"fraction": 1.5, "seed": 1}, {"fraction": 0.5}, 0.5])
def test_a_sample_that_means_nothing_is_refused(sample: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="sample"):
        fetch(jsonl(tmp_path, [row()]) | {"sample": sample}, tmp_path)


def test_a_run_that_loses_little_says_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(path=f"{index}.py") for index in range(9)] + [row(path="../x.py"), row(path="y.pl", lang="Perl")]
    fetch(jsonl(tmp_path, [json.loads(json.dumps(one)) for one in rows]), tmp_path)
    said = capsys.readouterr().err.splitlines()
    assert (
        said[0] == "fetch_corpus: 2 of 11 rows left out: language_not_taken 1 (for example 'Perl'), unsafe_path 1 (for example '../x.py')"
    )

"""Rows and parameters for tests of filtering."""

from pathlib import Path

import pyarrow as pa

from snowcoder.filtering.measuring import measure_shard
from snowcoder.filtering.rules import FilterParams
from snowcoder.pipeline.params import load_section
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file

ROOT = Path(__file__).resolve().parents[2]


def params(**changes: object) -> FilterParams:
    """The committed section filter_files with some values changed; its tables by absolute paths."""
    committed = load_section("filter_files", FilterParams, ROOT / "params.yaml")
    tables = {"exceptions": str(ROOT / committed.exceptions), "opt_out": None}
    return FilterParams.model_validate(committed.model_dump() | tables | changes)


def source_table(contents: list[tuple[str, str]], repository: str = "r", licence: str = "MIT") -> pa.Table:
    """SourceFile rows of (language, content); the path is the number of the row."""
    rows = [
        make_source_file(
            source="t",
            repository=repository,
            path=f"{at}",
            language=language,
            content=content,
            licence=licence,
            download_rank=7,
            revision="1",
        ).row()
        for at, (language, content) in enumerate(contents)
    ]
    return pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA)


def measured(contents: list[tuple[str, str]], repository: str = "r", licence: str = "MIT") -> pa.Table:
    """The same, measured."""
    return measure_shard(source_table(contents, repository, licence)).tables["files"]

"""Files shorter than any n-gram pass through deduplicate_files and decontaminate_files like any other."""

import json
import shutil

import pyarrow as pa
import pytest

from snowcoder.benchmarks.problem import write_problems
from snowcoder.pipeline.stage import metrics_path, output_path
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import read_table, write_table
from stages import decontaminate_files, deduplicate_files
from tests.decontamination.problems import ROOT, human_eval
from tests.decontamination.test_decontaminate_table import source_row

# as published; in other orders; with a byte order mark, other white space and letters, just below and at n-gram length
CORPORA = (
    ["", "\n\n", "a", "a b"],
    ["b a", "a b", "", "a"],
    ["a", "b", "A", "é", "aa"],
    ["a b c d", "a b c d e", "a b c d f", "d c b a", "a b c d e f"],
    ["x = 1", "x = 2", "y = 1", "x = 1\nx = 1"],
    ["()", "", "(", "x" * 1000, "x" * 1001],
)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@pytest.mark.parametrize(("contents", "executor"), [*((contents, "serial") for contents in CORPORA), (CORPORA[0], "processes")])
def test_exact_copies_collapse_and_different_short_texts_do_not(tmp_path, monkeypatch, contents, executor):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path / "work"))
    monkeypatch.setenv("SNOWCODER_EXECUTOR", executor)
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    rows = [source_row(f"{copy}/{number}.py", content) for copy in ("one", "two") for number, content in enumerate(contents)]
    shards = [pa.Table.from_pylist(rows[start::3], SOURCE_FILE_SCHEMA) for start in range(3)]
    write_table(deduplicate_files.FILES, shards, SOURCE_FILE_SCHEMA)
    write_problems(decontaminate_files.PROBLEMS, human_eval()[:3])
    deduplicate_files.main()
    decontaminate_files.main()
    kept = read_table(output_path("decontaminate_files"))["content"].to_pylist()
    # texts that differ in white space alone, as "" and "\n\n", are copies at any length
    assert len(kept) == len({words(text) for text in contents})
    assert {words(text) for text in kept} == {words(text) for text in contents}
    dropped = read_table(output_path("deduplicate_files") / "dropped").to_pylist()
    assert len(dropped) == len(rows) - len(kept)
    assert {row["jaccard"] for row in dropped} == {1.0}
    assert json.loads(metrics_path("decontaminate_files").read_text())["dropped"] == {}

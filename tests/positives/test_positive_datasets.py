"""Positives from data sets, by params alone: the layouts of well-known ones in the hub's format, through the whole stage, offline."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowcoder.benchmarks.problem import Problem, write_problems
from snowcoder.errors import EmptyResultError, ParameterError, SourceError
from snowcoder.pipeline.params import load_section, read_yaml
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import read_table, write_table
from stages import fetch_positives
from tools.apply_profile import merge

ROOT = Path(__file__).resolve().parents[2]
SORTING = '''def insertion_sort(values):
    """Sort a list in place, from left to right."""
    for place in range(1, len(values)):
        while place and values[place - 1] > values[place]:
            values[place - 1], values[place] = values[place], values[place - 1]
            place -= 1
    return values
'''
QUEUE = '''class RingBuffer:
    """The newest entries of a stream, at most `capacity` of them."""

    def __init__(self, capacity):
        self.capacity, self.entries = capacity, []

    def push(self, entry):
        self.entries = [*self.entries, entry][-self.capacity :]
'''
VENDORED = "".join(f"def parse_part_{number}(text):\n    return text.split({number!r})[0].strip().lower()\n\n\n" for number in range(8))
PROBLEM = Problem(
    "humaneval",
    "HumanEval/999",
    'def count_vowels(sentence):\n    """Count every vowel that the given sentence contains, each of them once per occurrence."""\n',
    '    found = [letter for letter in sentence if letter in "aeiou"]\n    return len(found)\n',
    "def check(candidate):\n    assert candidate('a') == 1\n",
    "count_vowels",
)
HQCODE = [SORTING, QUEUE, VENDORED, QUEUE + "# the same once more\n"]
RUST = "fn add(a: i64, b: i64) -> i64 {\n    a + b\n}\n"
REVERSE = "def reverse(text):\n    return text[::-1]\n"
TOTAL = "def total(values):\n    return sum(values)\n"
VOWELS = "Count every vowel that the given sentence contains, each of them once per occurrence."
MAGICODER = [
    {"lang": "rust", "raw_index": 1, "problem": "Add two numbers.", "solution": f"```rust\n{RUST}```"},
    {"lang": "python", "raw_index": 2, "problem": "Reverse a text.\nUse a slice.", "solution": f"```python\n{REVERSE}```"},
    {"lang": "python", "raw_index": 3, "problem": VOWELS, "solution": f"```python\n{PROBLEM.prompt}{PROBLEM.canonical_solution}```"},
    {"lang": "cobol", "raw_index": 4, "problem": "Say hello.", "solution": "DISPLAY 'HELLO'."},
]
SC2 = [{"instruction": "Write a Python function that sums.", "response": f"Here it is:\n\n```python\n{TOTAL}```\n\nIt uses `sum`."}]


def write_hub(folder: Path) -> dict[str, Any]:
    """The three data sets as folders in the hub's layout; the source that names them as profiles/paper.yaml does."""
    for name, rows in (("hqcode", [{"text": text} for text in HQCODE]), ("sc2", SC2)):
        (folder / name / "data").mkdir(parents=True)
        half = len(rows) // 2
        for index, part in enumerate([rows[:half], rows[half:]] if half else [rows]):
            pq.write_table(pa.Table.from_pylist(part), folder / name / "data" / f"train-0000{index}-of-0000{2 if half else 1}.parquet")
        (folder / name / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Rows\n")
    (folder / "magicoder").mkdir()
    (folder / "magicoder/data-oss_instruct-decontaminated.jsonl").write_text("".join(json.dumps(row) + "\n" for row in MAGICODER))
    source: dict[str, Any] = read_yaml(ROOT / "profiles/paper.yaml")["fetch_positives"]["source"]
    local = {"yuxiang630/hqcode": "hqcode", "ise-uiuc/Magicoder-OSS-Instruct-75K": "magicoder"}
    local["bigcode/self-oss-instruct-sc2-exec-filter-50k"] = "sc2"
    for kind in ("high_quality", "instruction"):
        for dataset in source[kind]:
            assert len(dataset["revision"]) == 40
            dataset |= {"dataset": str(folder / local[dataset["dataset"]]), "revision": None}
    return source


def write_workspace(folder: Path, source: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """params.yaml of the repository with this source; a corpus that holds VENDORED; one benchmark problem."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    params = read_yaml(ROOT / "params.yaml")
    languages = ["python", "rust"]
    merge(params, {"fetch_positives": {"source": source, "languages": languages}, "deduplicate_files": {"n_permutations": 64}}, "test")
    (folder / "params.yaml").write_text(json.dumps(params))
    vendored = make_source_file(
        source="t",
        repository="vendor",
        path="parts.py",
        language="python",
        content=VENDORED,
        licence="MIT",
        download_rank=None,
        revision="1",
    )
    write_table(folder / "data/decontaminate_files", [pa.Table.from_pylist([vendored.row()], SOURCE_FILE_SCHEMA)], SOURCE_FILE_SCHEMA)
    write_problems(folder / "data/fetch_benchmarks", [PROBLEM])


def test_the_named_data_sets_become_screened_positives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path, write_hub(tmp_path / "hub"), monkeypatch)
    fetch_positives.main()
    rows = read_table(Path("data/fetch_positives")).to_pylist()
    by_kind = {kind: [row["content"] for row in rows if row["kind"] == kind] for kind in ("high_quality", "instruction")}
    assert len(by_kind["high_quality"]) == 2
    assert SORTING in by_kind["high_quality"]
    assert sorted(by_kind["instruction"]) == [
        f'"""Reverse a text.\nUse a slice.\n"""\n\n\n{REVERSE}',
        f'"""Write a Python function that sums.\n"""\n\n\n{TOTAL}',
        f"/*\nAdd two numbers.\n*/\n\n{RUST}",
    ]
    assert {row["language"] for row in rows} == {"python", "rust"}
    (overlap,) = read_table(Path("data/fetch_positives/ledger")).to_pylist()
    assert (overlap["source"], overlap["problem_id"]) == ("positives", "HumanEval/999")
    metrics = read_metrics(Path("metrics/fetch_positives.json"))
    assert metrics["high_quality"] == {
        "rows_in": 4, "rows_out": 2, "repositories": 2, "dropped": {"duplicate_of_corpus": 1, "duplicate_of_positive": 1},
    }  # fmt: skip
    assert metrics["instruction"] == {"rows_in": 4, "rows_out": 3, "repositories": 3, "dropped": {"benchmark_overlap": 1}}
    assert metrics["skipped"] == {"language_not_taken": 1}


def test_other_kinds_of_files_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_hub(tmp_path / "hub")
    lines = (tmp_path / "hub/magicoder/data-oss_instruct-decontaminated.jsonl").read_bytes()
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(lines))
    magicoder = {"kind": "jsonl", "path": str(tmp_path / "rows.jsonl.gz"), "markdown": True}
    magicoder["columns"] = {"statement": "problem", "content": "solution", "language": "lang"}
    parquet = {"kind": "parquet", "path": str(tmp_path / "hub/hqcode/data"), "columns": {"content": "text"}, "language": "python"}
    contents = []
    for index, chosen in enumerate(
        [source, {"kind": "datasets", "high_quality": [parquet], "instruction": [magicoder, source["instruction"][1]]}]
    ):
        (tmp_path / str(index)).mkdir()
        write_workspace(tmp_path / str(index), chosen, monkeypatch)
        fetch_positives.main()
        rows = read_table(Path("data/fetch_positives")).to_pylist()
        # which of two near duplicates stays goes by their identity, which names the kind of source
        contents.append({(row["kind"], row["content"].removesuffix("# the same once more\n")) for row in rows})
    assert contents[0] == contents[1]


def test_a_data_set_that_stands_in_both_kinds_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_hub(tmp_path / "hub")
    source["instruction"] = source["high_quality"]
    write_workspace(tmp_path, source, monkeypatch)
    with pytest.raises(
        EmptyResultError, match=r"no instruction row is left of 4 \(dropped: {'duplicate_id': 4}\); widen fetch_positives.source"
    ):
        fetch_positives.main()


def test_what_is_wrong_with_a_data_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_hub(tmp_path / "hub")
    source["instruction"][0]["columns"]["statement"] = "question"
    write_workspace(tmp_path, source, monkeypatch)
    with pytest.raises(SourceError, match=r"magicoder.*columns missing: question; found: lang, problem, raw_index, solution"):
        fetch_positives.main()
    source["instruction"][0] |= {"revision": "main"}
    write_workspace(tmp_path, source, monkeypatch)
    with pytest.raises(ParameterError, match="allowed: a commit of 40 hex digits"):
        load_section("fetch_positives", FetchPositivesParams)
    source["instruction"][0] |= {"revision": None, "language": "klingon"}
    write_workspace(tmp_path, source, monkeypatch)
    with pytest.raises(ParameterError, match="found 'klingon'; allowed: c, cpp"):
        load_section("fetch_positives", FetchPositivesParams)

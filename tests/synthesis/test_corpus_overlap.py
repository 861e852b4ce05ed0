"""Exact overlap with the corpus, against hand-counted sets of n-grams."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.storage.shards import list_shards, write_table
from snowcoder.synthesis.corpus_overlap import measure_overlaps

ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
PARAMS = DeduplicationParams(ngram_tokens=2, n_permutations=64, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)


def corpus(folder: Path, files: list[tuple[str, str, str]]) -> list[Path]:
    rows = [
        {"file_id": name, "repository": "r", "path": f"{name}.py", "language": language, "content": text} for name, language, text in files
    ]
    tables = [pa.Table.from_pylist(rows[:1]), pa.Table.from_pylist(rows[1:])]
    write_table(folder, tables, tables[0].schema)
    return list_shards(folder)


def document(content: str, seed: str, language: str = "python") -> dict[str, Any]:
    return {"content": content, "seed_file_id": seed, "language": language}


@pytest.fixture(autouse=True)
def _serial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


def test_containment_and_near_duplicates(tmp_path: Path):
    shards = corpus(
        tmp_path, [("a", "python", "a b c d e f g h"), ("b", "python", "k l m n o p q r s t u v"), ("c", "css", "a b c d e f g h")]
    )
    found = measure_overlaps(
        [
            document("a b c x y", "a"),  # ab bc | cx xy: 2 of 4 in its seed
            document("k l m n o p q r s t u w", "a"),  # 10 of 11 in b, Jaccard 10/12; nothing of its seed
            document("b c d", "unknown"),
        ],
        shards,
        PARAMS,
    )
    assert [(one.seed_containment, one.duplicate_of) for one in found] == [(0.5, ""), (0.0, "r b.py"), (0.0, "")]


def test_a_file_of_another_language_is_no_copy(tmp_path: Path):
    shards = corpus(tmp_path, [("a", "python", "x y z"), ("c", "css", "a b c d e f g h")])
    assert measure_overlaps([document("a b c d e f g h", "a")], shards, PARAMS)[0].duplicate_of == ""

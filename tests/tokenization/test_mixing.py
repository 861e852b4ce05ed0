"""Documents make up their fraction, other languages keep their shares, the shorter half is repeated."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.errors import EmptyResultError
from snowcoder.tokenization.catalogue import CATALOGUE_SCHEMA
from snowcoder.tokenization.mixing import mix, repeat_rows, unmixed

LANGUAGES = ["c", "css", "python"]


def _catalogue(rows: list[tuple[str, int]], prefix: str = "f") -> pa.Table:
    columns = {
        "file_id": [f"{prefix}{number}" for number in range(len(rows))],
        "repository": ["r"] * len(rows),
        "path": ["p"] * len(rows),
        "language": [row[0] for row in rows],
        "n_tokens": [row[1] for row in rows],
        "shard": [prefix] * len(rows),
        "row": list(range(len(rows))),
    }
    return pa.table(columns, schema=CATALOGUE_SCHEMA)


DOCUMENTS = _catalogue([("python", 10)] * 4, "d")  # 40 tokens
FILES = _catalogue([("css", 10)] * 6 + [("c", 10)] * 2 + [("python", 10)] * 9)  # 60 + 20 tokens of other languages


def _tokens(mixed: pa.Table, column: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in mixed.to_pylist():
        counts[row[column]] += row["n_tokens"]
    return counts


def test_shorter_documents_are_repeated() -> None:
    mixture = mix(DOCUMENTS, FILES, 0.5, seed=0)
    assert _tokens(mixture.files, "language") == {"python": 80, "css": 60, "c": 20}
    assert _tokens(mixture.files, "shard") == {"d": 80, "f": 80}
    assert (mixture.documents_fraction, mixture.document_passes, mixture.file_passes) == (0.5, 2.0, 1.0)
    assert Counter(mixture.passes[:8].tolist()) == {0: 4, 1: 4}


def test_shorter_files_are_repeated_with_the_same_shares() -> None:
    # 40 tokens of documents are a quarter beside 120 of others: one and a half passes over 80
    mixture = mix(DOCUMENTS, FILES, 0.25, seed=0)
    assert _tokens(mixture.files, "language") == {"python": 40, "css": 90, "c": 30}
    assert (mixture.documents_fraction, mixture.document_passes, mixture.file_passes) == (0.25, 1.0, 1.5)


def test_documents_alone() -> None:
    mixture = mix(DOCUMENTS, FILES, 1.0, seed=0)
    assert _tokens(mixture.files, "shard") == {"d": 40}
    assert (mixture.documents_fraction, mixture.document_passes, mixture.file_passes) == (1.0, 1.0, 0.0)


def test_unmixed_takes_each_file_once() -> None:
    mixture = unmixed(FILES)
    assert mixture.files is FILES
    assert (mixture.passes == 0).all()


def test_a_broken_pass_is_a_prefix_of_the_seeded_order() -> None:
    half, passes = repeat_rows(DOCUMENTS, 0.5, seed=0)
    more, _ = repeat_rows(DOCUMENTS, 0.75, seed=0)
    assert (len(half), passes.tolist()) == (2, [0, 0])
    assert half.tolist() == more[:2].tolist()
    chosen = {tuple(sorted(repeat_rows(DOCUMENTS, 0.5, seed=seed)[0].tolist())) for seed in range(20)}
    assert len(chosen) > 1


@settings(deadline=None)
@given(
    documents=st.lists(st.integers(1, 50), min_size=1, max_size=10),
    files=st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(1, 50)), min_size=1, max_size=20).filter(
        lambda rows: any(language != "python" for language, _ in rows)
    ),
    fraction=st.floats(0.05, 0.95),
)
def test_goal_is_met_to_within_a_file_per_language(documents: list[int], files: list[tuple[str, int]], fraction: float) -> None:
    mixture = mix(_catalogue([("python", n) for n in documents], "d"), _catalogue(files), fraction, seed=0)
    counts = _tokens(mixture.files, "shard")
    others = [row for row in files if row[0] != "python"]
    n_documents, n_others = sum(documents), sum(n for _, n in others)
    wanted_documents = max(n_documents, n_others * fraction / (1 - fraction))
    wanted_others = max(n_others, n_documents * (1 - fraction) / fraction)
    assert wanted_documents - 1e-3 <= counts["d"] < wanted_documents + 50 + 1e-3
    assert wanted_others - 1e-3 <= counts["f"] < wanted_others + 50 * 2 + 1e-3
    assert all(row["language"] != "python" for row in mixture.files.to_pylist() if row["shard"] == "f")
    seen = Counter(zip(mixture.files["file_id"].to_pylist(), np.asarray(mixture.passes).tolist(), strict=True))
    assert set(seen.values()) == {1}


def test_no_other_language() -> None:
    with pytest.raises(EmptyResultError, match=r"none of the 1 files is of another language.*0.5"):
        mix(DOCUMENTS, _catalogue([("python", 5)]), 0.5, seed=0)


def test_no_documents() -> None:
    with pytest.raises(EmptyResultError, match="documents hold no tokens"):
        mix(DOCUMENTS.slice(0, 0), FILES, 0.5, seed=0)

"""Python gets its fraction of tokens, other languages keep their shares, whatever a teacher wrote; the shorter side repeats."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.errors import EmptyResultError
from snowcoder.tokenization.catalogue import CATALOGUE_SCHEMA
from snowcoder.tokenization.mixing import mix, plan_shares, repeat_rows, unmixed

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
TRAIN = {"python": 900, "css": 600, "c": 200, "sql": 100}


def _tokens(mixed: pa.Table, column: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in mixed.to_pylist():
        counts[row[column]] += row["n_tokens"]
    return counts


def test_shorter_documents_are_repeated() -> None:
    mixture = mix(DOCUMENTS, FILES, TRAIN, 0.5, seed=0)
    assert _tokens(mixture.files, "language") == {"python": 80, "css": 60, "c": 20}
    assert _tokens(mixture.files, "shard") == {"d": 80, "f": 80}
    assert (mixture.documents_fraction, mixture.document_epochs, mixture.file_epochs) == (0.5, 2.0, 1.0)
    rows = zip(mixture.files["shard"].to_pylist(), mixture.pass_numbers.tolist(), strict=True)
    assert Counter(number for shard, number in rows if shard == "d") == {0: 4, 1: 4}


def test_shorter_files_are_repeated_with_the_same_shares() -> None:
    # 40 tokens of documents are a quarter next to 120 of others: one and a half passes over 80
    mixture = mix(DOCUMENTS, FILES, TRAIN, 0.25, seed=0)
    assert _tokens(mixture.files, "language") == {"python": 40, "css": 90, "c": 30}
    assert (mixture.documents_fraction, mixture.document_epochs, mixture.file_epochs) == (0.25, 1.0, 1.5)


def test_files_alone_reach_the_same_shares_as_with_documents() -> None:
    mixture = mix(None, FILES, TRAIN, 0.5, seed=0)
    # 90 tokens of Python are half; css and c share the other half 3 to 1: 67.5 of 60, 22.5 of 20
    assert _tokens(mixture.files, "language") == {"python": 90, "css": 70, "c": 30}
    assert (mixture.documents_fraction, mixture.document_epochs) == (0.0, 0.0)
    assert mixture.file_epochs == pytest.approx(190 / 170)
    with_documents = mix(DOCUMENTS, FILES, TRAIN, 0.5, seed=0)
    planned, planned_with = ({name: plan.planned for name, plan in one.plans.items()} for one in (mixture, with_documents))
    assert planned == planned_with == {"python": 0.5, "css": 0.375, "c": 0.125}
    assert {plan.source for plan in mixture.plans.values()} == {"files"}


def test_few_tokens_of_a_language_are_repeated_and_counted() -> None:
    files = _catalogue([("python", 10)] * 30 + [("css", 10)])
    mixture = mix(None, files, TRAIN, 0.5, seed=0)
    css = mixture.plans["css"]
    assert (css.n_tokens, css.unique_tokens, css.epochs) == (300, 10, 30.0)


def test_documents_alone() -> None:
    mixture = mix(DOCUMENTS, FILES, TRAIN, 1.0, seed=0)
    assert _tokens(mixture.files, "shard") == {"d": 40}
    assert (mixture.documents_fraction, mixture.document_epochs, mixture.file_epochs) == (1.0, 1.0, 0.0)


def test_unmixed_takes_each_file_once() -> None:
    mixture = unmixed(FILES)
    assert mixture.files is FILES
    assert (mixture.pass_numbers == 0).all()


def test_a_broken_pass_is_a_prefix_of_the_seeded_order() -> None:
    half, pass_numbers = repeat_rows(DOCUMENTS, 0.5, seed=0)
    more, _ = repeat_rows(DOCUMENTS, 0.75, seed=0)
    assert (len(half), pass_numbers.tolist()) == (2, [0, 0])
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
    mixture = mix(_catalogue([("python", n) for n in documents], "d"), _catalogue(files), {}, fraction, seed=0)
    counts = _tokens(mixture.files, "shard")
    others = [row for row in files if row[0] != "python"]
    n_documents, n_others = sum(documents), sum(n for _, n in others)
    wanted_documents = max(n_documents, n_others * fraction / (1 - fraction))
    wanted_others = max(n_others, n_documents * (1 - fraction) / fraction)
    assert wanted_documents - 1e-3 <= counts["d"] < wanted_documents + 50 + 1e-3
    assert wanted_others - 1e-3 <= counts["f"] < wanted_others + 50 * 2 + 1e-3
    assert all(row["language"] != "python" for row in mixture.files.to_pylist() if row["shard"] == "f")
    seen = Counter(zip(mixture.files["file_id"].to_pylist(), np.asarray(mixture.pass_numbers).tolist(), strict=True))
    assert set(seen.values()) == {1}


def test_documents_of_several_languages_are_brought_to_their_shares() -> None:
    # 40 of Python, 40 of others; of these css wants 30 (of 10) and c 10 (of 30): the shares of FILES, 60 to 20
    documents = _catalogue([("python", 10)] * 4 + [("css", 10)] + [("c", 10)] * 3, "d")
    mixture = mix(documents, FILES, TRAIN, 0.5, seed=0)
    assert _tokens(mixture.files, "language") == {"python": 40, "css": 30, "c": 10}
    assert set(mixture.files["shard"].to_pylist()) == {"d"}
    assert {name: (plan.source, plan.planned, plan.n_tokens, plan.epochs) for name, plan in mixture.plans.items()} == {
        "c": ("documents", 0.125, 10, pytest.approx(1 / 3)),
        "css": ("documents", 0.375, 30, 3.0),
        "python": ("documents", 0.5, 40, 1.0),
    }
    assert (mixture.documents_fraction, mixture.document_epochs, mixture.file_epochs) == (1.0, 1.0, 0.0)


def test_a_language_in_which_nothing_was_written_comes_from_the_files() -> None:
    documents = _catalogue([("python", 10)] * 4 + [("css", 10)] * 6, "d")
    mixture = mix(documents, FILES, TRAIN, 0.5, seed=0)
    assert mixture.plans["c"].source == "files"
    assert _tokens(mixture.files, "language") == {"python": 80, "css": 60, "c": 20}
    assert _tokens(mixture.files, "shard") == {"d": 140, "f": 20}


def test_a_language_that_a_small_selection_lacks_weighs_as_in_the_train_split() -> None:
    # FILES are 170 tokens of TRAIN's 1800, so that sql's quota of them is 100 * 170 / 1800
    planned = plan_shares({"python": 40, "css": 10, "sql": 10}, {"css": 60, "c": 20, "python": 90}, TRAIN, 0.5)
    quota = 100 * 170 / 1800
    assert planned == {"python": 0.5, "css": pytest.approx(0.5 * 60 / (60 + quota)), "sql": pytest.approx(0.5 * quota / (60 + quota))}


@settings(deadline=None)
@given(
    documents=st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(1, 50)), min_size=1, max_size=20),
    fraction=st.floats(0.05, 0.95),
)
def test_every_language_has_its_share_whatever_was_written(documents: list[tuple[str, int]], fraction: float) -> None:
    mixture = mix(_catalogue(documents, "d"), FILES, TRAIN, fraction, seed=0)
    counts = _tokens(mixture.files, "language")
    plans = mixture.plans
    assert set(plans) == {"c", "css", "python"}
    assert sum(plan.planned for plan in plans.values()) == pytest.approx(1.0)
    assert (plans["python"].planned, plans["css"].planned / plans["c"].planned) == (pytest.approx(fraction), pytest.approx(3.0))
    written = {language for language, _ in documents}
    assert {name: plan.source for name, plan in plans.items()} == {name: "documents" if name in written else "files" for name in plans}
    there = {name: sum(n for language, n in documents if language == name) for name in written}
    there = {"c": 20, "css": 60, "python": 90} | there
    total = max(there["python"] / fraction, (there["c"] + there["css"]) / (1 - fraction))
    for name, plan in plans.items():
        assert plan.n_tokens == counts[name]
        assert total * plan.planned - 1e-3 <= counts[name] < total * plan.planned + 50 + 1e-3
    seen = Counter(zip(mixture.files["file_id"].to_pylist(), mixture.pass_numbers.tolist(), strict=True))
    assert set(seen.values()) == {1}


def test_no_other_language() -> None:
    with pytest.raises(EmptyResultError, match=r"nor the 1 files contain a language other than Python.*0.5"):
        mix(DOCUMENTS, _catalogue([("python", 5)]), TRAIN, 0.5, seed=0)


def test_no_python() -> None:
    css = _catalogue([("css", 5)])
    with pytest.raises(EmptyResultError, match=r"nor the 1 files contain Python.*0.5"):
        mix(css, css, TRAIN, 0.5, seed=0)


def test_no_documents() -> None:
    with pytest.raises(EmptyResultError, match="documents have no tokens"):
        mix(DOCUMENTS.slice(0, 0), FILES, TRAIN, 0.5, seed=0)


@settings(deadline=None)
@given(
    documents=st.lists(st.integers(1, 50), min_size=1, max_size=10),
    files=st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(1, 50)), min_size=2, max_size=20).filter(
        lambda rows: {"python"} < {language for language, _ in rows}
    ),
    fraction=st.floats(0.05, 0.95),
)
def test_a_control_has_the_languages_and_shares_of_its_variant(documents: list[int], files: list[tuple[str, int]], fraction: float) -> None:
    written, there = _catalogue([("python", n) for n in documents], "d"), _catalogue(files)
    variant, control = mix(written, there, {}, fraction, seed=0), mix(None, there, {}, fraction, seed=0)
    assert {name: plan.planned for name, plan in variant.plans.items()} == {name: plan.planned for name, plan in control.plans.items()}
    assert set(control.files["shard"].to_pylist()) == {"f"}
    for name, plan in control.plans.items():
        if name != "python":
            assert (plan.source, plan.unique_tokens) == (variant.plans[name].source, variant.plans[name].unique_tokens)

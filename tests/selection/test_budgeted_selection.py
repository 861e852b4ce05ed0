"""Selection: quotas, mix, budget, containment, and independence of order."""

import hashlib
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import EmptyResultError, ShardError
from snowcoder.selection.budgeted_selection import (
    RuleParams,
    SelectionParams,
    candidates,
    language_quotas,
    select_files,
    tokens_by_language,
)

LANGUAGES = ["c", "css", "python"]
BY_SCORE, BY_HASH = RuleParams(by="score"), RuleParams(by="hash")
TIED = RuleParams(by="score", min_score=0.0)

file_lists = st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(1, 50), st.integers(-3, 3).map(float)), min_size=1, max_size=40)


def files_of(rows: list[tuple[str, int, float]]) -> pa.Table:
    return pa.table(
        {
            "file_id": [f"{index:04d}" for index in range(len(rows))],
            "language": [language for language, _, _ in rows],
            "repository": [f"r{index % 3}" for index in range(len(rows))],
            "content_sha256": [hashlib.sha256(str(index).encode()).hexdigest() for index in range(len(rows))],
            "score": pa.array([score for _, _, score in rows], pa.float64()),
            "n_tokens": pa.array([tokens for _, tokens, _ in rows], pa.int32()),
        }
    )


def shared(horizon_tokens: int, repeats: int = 1, seed: int = 0, on_shortfall: Literal["error", "state"] = "error") -> SelectionParams:
    return SelectionParams(
        recipe="HQINS", horizon_of="continued", horizon_tokens=horizon_tokens, repeats=repeats, seed=seed, on_shortfall=on_shortfall
    )


def selected_ids(files: pa.Table, budget: int, rule: RuleParams, seed: int = 0) -> list[str]:
    try:
        tables, _ = select_files(files, shared(budget, seed=seed), rule)
    except EmptyResultError:
        return []
    return [file_id for table in tables for file_id in table["file_id"].to_pylist()]


def test_hand_computed_selection() -> None:
    rows = [("python", 10, 0.1), ("python", 10, 0.9), ("python", 10, 0.5), ("css", 6, 1.0), ("css", 4, 2.0)]
    tables, metrics = select_files(files_of(rows), shared(60, repeats=3), BY_SCORE)
    # middles as shares of a language: css 4/2/10 = 0.2, (4 + 6/2)/10 = 0.7; python 5/30, 15/30, 25/30. In that order: python 10, css 4,
    # python 10, ...: the third file fits by half (6 of 10 are free), the fourth not at all
    assert [table["file_id"].to_pylist() for table in tables] == [["0004"], ["0001", "0002"]]
    assert [table["rank"].to_pylist() for table in tables] == [[1], [1, 2]]
    assert metrics["budget_tokens"] == 20
    assert metrics["tokens"] == 24
    assert metrics["shortfall_tokens"] == 0
    assert metrics["mean_score"] == pytest.approx((2.0 + 0.9 + 0.5) / 3)
    python = {"available_tokens": 30, "quota_tokens": 15, "shortfall_tokens": 0, "tokens": 20, "files": 2}
    assert metrics["by_language"]["python"] == python


def test_small_languages_with_large_files_do_not_leave_the_budget_unfilled() -> None:
    small = [(language, 100, 1.0) for language in ("c", "css") for _ in range(3)]
    files = files_of(small + [("python", 10, float(index)) for index in range(240)])
    # each small language has 30 of 300 tokens to get, which is not half of a file; python has 240
    assert select_files(files, shared(300), BY_SCORE)[1]["tokens"] == 300


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 10**12), min_size=1), st.data())
def test_quotas_sum_to_the_budget_and_keep_the_mix(available: dict[str, int], data: st.DataObject) -> None:
    total = sum(available.values())
    budget = data.draw(st.integers(0, total))
    quotas = language_quotas(available, budget)
    assert sum(quotas.values()) == budget
    for language, quota in quotas.items():
        share = budget * available[language] / total
        assert share - 1 <= quota <= share + len(available)
        assert quota <= available[language]


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 60), min_size=1), st.data())
def test_quotas_never_shrink_as_the_budget_grows(available: dict[str, int], data: st.DataObject) -> None:
    budget = data.draw(st.integers(0, sum(available.values()) - 1))
    smaller, larger = language_quotas(available, budget), language_quotas(available, budget + 1)
    assert all(smaller[language] <= larger[language] for language in available)


@given(file_lists, st.data(), st.sampled_from([BY_SCORE, BY_HASH]))
def test_budget_and_language_mix_are_missed_by_half_a_file_at_most(
    rows: list[tuple[str, int, float]], data: st.DataObject, rule: RuleParams
) -> None:
    files = files_of(rows)
    budget = data.draw(st.integers(1, sum(tokens for _, tokens, _ in rows)))
    chosen = set(selected_ids(files, budget, rule))
    taken = tokens_by_language(files.filter(pa.array([file_id in chosen for file_id in files["file_id"].to_pylist()])))
    assert abs(sum(taken.values()) - budget) <= max(tokens for _, tokens, _ in rows) / 2
    # one share of the tokens that every language is within half a file of
    low, high = 0.0, 1.0
    for language, available in tokens_by_language(files).items():
        half = max(tokens for name, tokens, _ in rows if name == language) / 2
        low = max(low, (taken.get(language, 0) - half) / available)
        high = min(high, (taken.get(language, 0) + half) / available)
    assert low <= high + 1e-12


@given(st.permutations([1.0, 1.0, 1.0, 2.0, 2.0]), st.integers(0, 5))
def test_ties_are_broken_by_content_whatever_the_file_is_called(scores: list[float], seed: int) -> None:
    files = files_of([("python", 10, score) for score in scores])
    renamed = files.set_column(0, "file_id", pa.array(list("edcba")))
    first, second = (select_files(table, shared(30, seed=seed), BY_SCORE)[0][0] for table in (files, renamed))
    digest = dict(zip(files["file_id"].to_pylist() + renamed["file_id"].to_pylist(), files["content_sha256"].to_pylist() * 2, strict=True))
    assert [digest[name] for name in first["file_id"].to_pylist()] == [digest[name] for name in second["file_id"].to_pylist()]
    assert first["score"].to_pylist() == [2.0, 2.0, 1.0]


def test_the_seed_decides_between_equal_scores() -> None:
    files = files_of([("python", 10, 1.0)] * 20)
    assert len({tuple(selected_ids(files, 100, BY_SCORE, seed)) for seed in range(4)}) == 4


def test_a_language_that_the_threshold_empties_is_an_error_or_a_stated_shortfall() -> None:
    files = files_of([("python", 10, 1.0)] * 8 + [("css", 10, -1.0)] * 2)
    with pytest.raises(EmptyResultError, match=r"min_score 0\.0, with which css lacks 10 tokens of its share of 50"):
        select_files(files, shared(50), TIED)
    tables, metrics = select_files(files, shared(50, on_shortfall="state"), TIED)
    assert [len(table) for table in tables] == [0, 4]  # css, python: python does not get what css lacks
    assert metrics["shortfall_tokens"] == metrics["by_language"]["css"]["shortfall_tokens"] == 10
    assert pc.min(tables[1]["score"]).as_py() >= 0.0


def test_a_corpus_that_is_too_small_is_a_stated_shortfall() -> None:
    files = files_of([("python", 10, 1.0), ("css", 5, 1.0)])
    _, metrics = select_files(files, shared(20, on_shortfall="state"), BY_SCORE)
    assert (metrics["tokens"], metrics["shortfall_tokens"]) == (15, 5)


@given(file_lists, st.data(), st.sampled_from([BY_SCORE, BY_HASH]))
def test_a_larger_budget_contains_a_smaller_one(rows: list[tuple[str, int, float]], data: st.DataObject, rule: RuleParams) -> None:
    total = sum(tokens for _, tokens, _ in rows)
    small = data.draw(st.integers(1, total))
    large = data.draw(st.integers(small, total))
    files = files_of(rows)
    assert set(selected_ids(files, small, rule)) <= set(selected_ids(files, large, rule))
    assert len(selected_ids(files, total, rule)) == len(rows)


@given(file_lists, st.randoms(use_true_random=False), st.sampled_from([BY_SCORE, BY_HASH]))
def test_order_of_the_input_does_not_matter(rows: list[tuple[str, int, float]], random: object, rule: RuleParams) -> None:
    files = files_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    budget = max(1, sum(tokens for _, tokens, _ in rows) // 2)
    assert selected_ids(files.take(pa.array(order)), budget, rule) == selected_ids(files, budget, rule)


def test_selected_scores_higher_than_random_and_seeds_differ() -> None:
    files = files_of([("python", 10, float(index * 7 % 300)) for index in range(300)])
    assert select_files(files, shared(600), BY_SCORE)[1]["mean_score"] > select_files(files, shared(600), BY_HASH)[1]["mean_score"] + 20
    assert selected_ids(files, 600, BY_HASH, seed=1) != selected_ids(files, 600, BY_HASH, seed=2)
    assert selected_ids(files, 600, BY_SCORE, seed=1) == selected_ids(files, 600, BY_SCORE, seed=2)


def test_a_budget_that_cannot_be_met_tells_the_most() -> None:
    files = files_of([("python", 10, 1.0), ("css", 5, 1.0)])
    with pytest.raises(EmptyResultError, match="needs 16 unique tokens of 15; allowed: at most 63"):
        select_files(files, shared(64, repeats=4), BY_SCORE)
    select_files(files, shared(63, repeats=4), BY_SCORE)
    with pytest.raises(EmptyResultError, match="enough for one file"):
        select_files(files, shared(1), BY_SCORE)


def test_only_train_files_are_candidates_and_tables_must_agree() -> None:
    columns = {
        "language": ["c", "c"],
        "repository": ["r", "r"],
        "content_sha256": ["x", "y"],
        "split": ["train", "held_out"],
        "score": [1.0, 9.0],
    }
    scores = pa.table({"file_id": ["a", "b"], "split": ["train", "held_out"], **columns})
    tokens = pa.table({"file_id": ["b", "a"], "split": ["held_out", "train"], "n_tokens": pa.array([5, 7], pa.int32())})
    row = {"file_id": "a", "language": "c", "repository": "r", "content_sha256": "x", "score": 1.0, "n_tokens": 7}
    assert candidates(scores, tokens).to_pylist() == [row]
    with pytest.raises(ShardError, match="found 1 scored train files, 0 of them with tokens"):
        candidates(scores, tokens.slice(0, 1))


def test_a_file_without_a_score_is_no_candidate() -> None:
    files = files_of([("python", 10, 1.0), ("python", 20, 2.0), ("css", 5, 3.0)]).append_column("split", pa.array(["train"] * 3))
    tokens, scores = files.select(["file_id", "split", "n_tokens"]), files.drop_columns(["n_tokens"])
    whole, pool = candidates(scores, tokens), candidates(scores.slice(1), tokens)
    assert tokens_by_language(whole) == {"css": 5, "python": 30}
    assert tokens_by_language(pool) == {"css": 5, "python": 20}
    assert pool.equals(whole.slice(1))
    tables, metrics = select_files(pool, shared(25), BY_SCORE)
    assert metrics["tokens"] == 25
    assert "0000" not in [file_id for table in tables for file_id in table["file_id"].to_pylist()]
    with pytest.raises(EmptyResultError, match="unique tokens of 25"):
        select_files(pool, shared(30), BY_SCORE)

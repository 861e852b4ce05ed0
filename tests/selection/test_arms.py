"""Arms of an experiment: a draw is a block, matched arms keep their cells' tokens, and nothing depends on the order of rows."""

import hashlib
import random
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.params import check
from snowcoder.seeding import unit_hash
from snowcoder.selection.arms import ArmParams, arm_faults, choose_arm, draw_part, tokens_by_cell
from snowcoder.selection.budgeted_selection import SELECTION_SCHEMA, tokens_by_language

ARMS = {
    "random": ArmParams(by="random"),
    "best": ArmParams(by="HQINS"),
    "shortest": ArmParams(by="shortest"),
    "same_repositories": ArmParams(by="random", matched_to="best", match="repository"),
    "same_lengths": ArmParams(by="random", matched_to="best", match="length"),
}
MATCHED: list[tuple[str, Literal["repository", "length"]]] = [("same_repositories", "repository"), ("same_lengths", "length")]

# language, repository, tokens, score
file_lists = st.lists(
    st.tuples(st.sampled_from(["c", "css", "python"]), st.integers(0, 4), st.integers(1, 60), st.integers(-3, 3).map(float)),
    min_size=8,
    max_size=60,
)
seeds = st.integers(0, 1000)


def files_of(rows: list[tuple[str, int, int, float]]) -> pa.Table:
    return pa.table(
        {
            "file_id": [f"{index:04d}" for index in range(len(rows))],
            "language": [row[0] for row in rows],
            "repository": [f"r{row[1]}" for row in rows],
            "content_sha256": [hashlib.sha256(str(index).encode()).hexdigest() for index in range(len(rows))],
            "n_bytes": pa.array([3 * row[2] for row in rows], pa.int64()),
            "n_tokens": pa.array([row[2] for row in rows], pa.int32()),
            "HQINS": pa.array([row[3] for row in rows], pa.float64()),
            "shortest": pa.array([-float(row[2]) for row in rows], pa.float64()),
        }
    )


def choose(name: str, files: pa.Table, budget: int, seed: int = 1, draw: int = 0, fraction: float = 0.5) -> pa.Table | None:
    """None where the draw's part is too small, or its first file too large."""
    try:
        return choose_arm(name, ARMS, files, budget, seed, draw, fraction)
    except EmptyResultError:
        return None


def tokens_of(files: pa.Table) -> int:
    return int(pc.sum(files["n_tokens"]).as_py() or 0)


def largest(files: pa.Table) -> int:
    return max(files["n_tokens"].to_pylist())


def as_files(chosen: pa.Table, files: pa.Table) -> pa.Table:
    return files.take(pc.index_in(chosen["file_id"], files["file_id"]))


@given(file_lists, seeds, st.integers(0, 3), st.sampled_from(sorted(ARMS)))
def test_an_arm_chooses_from_its_draws_part_alone_each_file_once(
    rows: list[tuple[str, int, int, float]], seed: int, draw: int, name: str
) -> None:
    files = files_of(rows)
    digests = dict(zip(files["file_id"].to_pylist(), files["content_sha256"].to_pylist(), strict=True))
    chosen = choose(name, files, tokens_of(files) // 5, seed, draw)
    if chosen is not None:
        ids = chosen["file_id"].to_pylist()
        assert len(ids) == len(set(ids))
        assert all(unit_hash(seed, "draw", draw, digests[file_id]) < 0.5 for file_id in ids)
        assert chosen.schema.names == SELECTION_SCHEMA.names


def test_parts_of_draws_are_what_the_hash_says_and_independent_of_each_other() -> None:
    files = files_of([("python", 0, 1, 0.0)] * 2000)
    parts = [set(draw_part(files, 1, draw, 0.5)["file_id"].to_pylist()) for draw in (0, 1)]
    assert all(900 < len(part) < 1100 for part in parts)
    assert 420 < len(parts[0] & parts[1]) < 580  # a quarter of the pool: half of a half
    assert len(draw_part(files, 1, 0, 1.0)) == 2000


@given(file_lists, seeds, st.sampled_from(sorted(ARMS)))
def test_all_arms_of_a_draw_have_the_budgets_tokens_within_half_a_file(
    rows: list[tuple[str, int, int, float]], seed: int, name: str
) -> None:
    files = files_of(rows)
    budget = tokens_of(files) // 5
    chosen = choose(name, files, budget, seed)
    if chosen is not None:
        # a matched arm is within half a file of another arm's tokens, which are within half a file of the budget
        assert abs(tokens_of(chosen) - budget) <= largest(files) / 2 * (1 if ARMS[name].match is None else 2)


@given(file_lists, seeds, st.sampled_from(MATCHED))
def test_a_matched_arm_has_the_tokens_of_every_cell_language_and_the_whole(
    rows: list[tuple[str, int, int, float]], seed: int, arm: tuple[str, Literal["repository", "length"]]
) -> None:
    name, match = arm
    files = files_of(rows)
    budget = tokens_of(files) // 4
    other, chosen = choose("best", files, budget, seed), choose(name, files, budget, seed)
    if other is None or chosen is None:
        return
    half = largest(files) / 2
    ours, theirs = (tokens_by_cell(as_files(table, files), match) for table in (chosen, other))
    assert ours.keys() <= theirs.keys()
    assert all(abs(ours.get(cell, 0) - tokens) <= 2 * half for cell, tokens in theirs.items())
    languages, other_languages = tokens_by_language(chosen), tokens_by_language(other)
    assert all(abs(languages.get(language, 0) - tokens) <= 2 * half for language, tokens in other_languages.items())
    assert abs(tokens_of(chosen) - tokens_of(other)) <= half


def test_cells_too_small_for_a_file_each_do_not_leave_a_matched_arm_empty() -> None:
    # the choice: one file of 10 tokens in each of 40 repositories, whose other files have 30 tokens; cut one by one, they would lack
    # the budget by hundreds of tokens
    small = [("python", repository, 10, 2.0) for repository in range(40)]
    files = files_of(small + [("python", repository, 30, 1.0) for repository in range(40) for _ in range(5)])
    other, chosen = choose("best", files, 400, fraction=1.0), choose("same_repositories", files, 400, fraction=1.0)
    assert other is not None
    assert chosen is not None
    assert tokens_of(other) == 400
    assert abs(tokens_of(chosen) - 400) <= 15


def test_a_matched_arm_takes_other_files_where_a_cell_holds_others() -> None:
    files = files_of([("python", index % 3, 10, float(index)) for index in range(300)])
    other, chosen = choose("best", files, 600, fraction=1.0), choose("same_repositories", files, 600, fraction=1.0)
    assert other is not None
    assert chosen is not None
    assert tokens_by_cell(as_files(chosen, files), "repository") == tokens_by_cell(as_files(other, files), "repository")
    shared = set(other["file_id"].to_pylist()) & set(chosen["file_id"].to_pylist())
    assert len(shared) < 30  # of 60; 12 are expected of a fifth of each repository
    assert chosen["score"].null_count == len(chosen)


def test_length_classes_are_powers_of_two_of_bytes_within_a_language() -> None:
    sizes = pa.array([1, 2, 3, 4, 7, 8, 8], pa.int64())
    languages = ["c"] * 6 + ["css"]
    table = pa.table({"language": languages, "n_bytes": sizes, "n_tokens": pa.array([1, 10, 100, 1000, 10000, 7, 5], pa.int32())})
    assert tokens_by_cell(table, "length") == {("c", 1): 1, ("c", 2): 110, ("c", 3): 11000, ("c", 4): 7, ("css", 4): 5}


@given(file_lists, st.randoms(use_true_random=False), st.sampled_from(sorted(ARMS)))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[str, int, int, float]], shuffler: random.Random, name: str) -> None:
    files = files_of(rows)
    order = list(range(len(rows)))
    shuffler.shuffle(order)
    budget = tokens_of(files) // 5
    assert choose(name, files.take(pa.array(order)), budget) == choose(name, files, budget)


@given(file_lists, seeds, st.sampled_from(["random", "best", "shortest"]))
def test_the_language_mix_is_that_of_the_draws_part(rows: list[tuple[str, int, int, float]], seed: int, name: str) -> None:
    files = files_of(rows)
    chosen = choose(name, files, tokens_of(files) // 5, seed)
    if chosen is None:
        return
    taken, part = tokens_by_language(chosen), draw_part(files, seed, 0, 0.5)
    low, high = 0.0, 1.0  # one share of the tokens that every language is within half a file of
    for language, available in tokens_by_language(part).items():
        half = largest(part) / 2
        low, high = max(low, (taken.get(language, 0) - half) / available), min(high, (taken.get(language, 0) + half) / available)
    assert low <= high + 1e-12


def test_scored_arms_take_the_highest_and_random_ones_change_with_draw_seed_and_name() -> None:
    files = files_of([("python", index % 3, 10, float(index)) for index in range(300)])
    best = choose("best", files, 100, fraction=1.0)
    assert best is not None
    assert best["score"].to_pylist() == [float(score) for score in range(299, 289, -1)]
    assert best["rank"].to_pylist() == list(range(1, 11))
    twin = ARMS | {"twin": ARMS["random"]}
    settings = [("random", 1, 0), ("random", 1, 1), ("random", 2, 0), ("twin", 1, 0)]
    chosen = [choose_arm(name, twin, files, 100, seed, draw, 1.0)["file_id"].to_pylist() for name, seed, draw in settings]
    assert len({tuple(ids) for ids in chosen}) == len(settings)


def test_repeats_divide_the_tokens_of_a_branch() -> None:
    files = files_of([("python", 0, 10, float(index)) for index in range(100)])
    arms = {"best": ArmParams(by="HQINS", repeats=4)}
    assert tokens_of(choose_arm("best", arms, files, 400, 1, 0, 1.0)) == 100


def test_a_part_too_small_for_the_budget_and_a_budget_too_small_for_a_file_are_errors() -> None:
    files = files_of([("python", 0, 100, 1.0)])
    with pytest.raises(EmptyResultError, match=r"arm best, draw 0: found 100 tokens .* allowed: at least 101"):
        choose_arm("best", ARMS, files, 101, 1, 0, 1.0)
    with pytest.raises(EmptyResultError, match="found no file that fits into 49 tokens"):
        choose_arm("best", ARMS, files, 49, 1, 0, 1.0)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            {"by": "HQ", "matched_to": "best", "match": "length"},
            "arms.new.matched_to: found 'best'; allowed: null, for by: HQ has",
        ),
        ({"by": "random", "matched_to": "best"}, "arms.new.match: found null; allowed: repository, length"),
        ({"by": "random", "match": "length"}, "arms.new.match: found length; allowed: null, for an arm without matched_to"),
        ({"by": "random", "matched_to": "best", "match": "topic"}, "arms.new.match: found 'topic'; allowed: repository, length"),
        ({"by": "random", "repeats": 0}, "arms.new.repeats: found 0; allowed: a whole number from 1"),
    ],
)
def test_an_arm_that_contradicts_itself_is_refused(values: dict[str, Any], fault: str) -> None:
    _, faults = check(values, ArmParams, "arms.new", {})
    assert len(faults) == 1
    assert faults[0].startswith(fault)


@pytest.mark.parametrize(
    ("new", "faults"),
    [
        (ArmParams(by="HQINS"), []),
        (ArmParams(by="random", matched_to="best", match="length"), []),
        (ArmParams(by="HQ1NS"), ["arms.new.by: found 'HQ1NS'; did you mean HQINS? allowed: random, HQINS, shortest"]),
        (
            ArmParams(by="random", matched_to="bset", match="length"),
            ["arms.new.matched_to: found 'bset'; did you mean best? allowed: an arm without matched_to: random, best, shortest"],
        ),
        (
            ArmParams(by="random", matched_to="new", match="length"),
            ["arms.new.matched_to: found 'new'; allowed: an arm without matched_to: random, best, shortest"],
        ),
        (
            ArmParams(by="random", matched_to="best", match="length", repeats=2),
            ["arms.new.repeats: found 2; allowed: 1, as its matched_to, best, has it"],
        ),
    ],
)
def test_arms_that_contradict_each_other_are_refused(new: ArmParams, faults: list[str]) -> None:
    assert list(arm_faults(ARMS | {"new": new}, ["HQINS", "shortest"])) == faults


def test_arms_matched_to_each_other_in_a_circle_are_both_refused() -> None:
    circle = {name: ArmParams(by="random", matched_to=other, match="length") for name, other in (("a", "b"), ("b", "a"))}
    faults = list(arm_faults(circle, []))
    assert [fault.split(":")[0] for fault in faults] == ["arms.a.matched_to", "arms.b.matched_to"]
    assert faults[0].endswith("allowed: an arm without matched_to: none: each of them is matched to another")

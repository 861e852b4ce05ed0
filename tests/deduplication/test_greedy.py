import hashlib
import random
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.deduplication import greedy, sorted_runs
from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.deduplication.evidence import drops_of
from snowcoder.deduplication.greedy import choose_survivors
from snowcoder.deduplication.minhash import make_scheme
from snowcoder.deduplication.shingles import shingle
from snowcoder.deduplication.sketches import gather_sketches, write_sketch

ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)
SCHEME = make_scheme(PARAMS)


class Drop(NamedTuple):
    """Why a file goes."""

    reason: str
    kept: str
    jaccard: float


class TextShingles:
    """Shingle sets of texts, by shard."""

    def __init__(self, shards: list[list[str]]) -> None:
        self.shards = shards

    def __call__(self, shard: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sets = [shingle(self.shards[shard][row], 5) for row in rows]
        return np.concatenate([np.empty(0, np.uint64), *sets]), np.array([one.size for one in sets], dtype=np.int64)


@pytest.fixture(autouse=True)
def _serial(monkeypatch):
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")


def choose(contents: dict[str, str], order: list[str] | None = None, shards: int = 2) -> dict[str, Drop]:
    """file id -> why it is dropped, over files whose ids are their ranks: 'a' is preferred to 'b'."""
    order = order or list(contents)
    ids = [order[number::shards] for number in range(shards)]
    with tempfile.TemporaryDirectory() as folder:
        stems = [Path(folder) / f"shard-{number}" for number in range(shards)]
        for stem, members in zip(stems, ids, strict=True):
            sets = [shingle(contents[file_id], 5) for file_id in members]
            keys = SCHEME.band_keys_of_sets(np.concatenate([np.empty(0, np.uint64), *sets]), np.cumsum([0, *(one.size for one in sets)]))
            texts = np.array([hashlib.sha256(contents[file_id].encode()).digest()[:16] for file_id in members], dtype="S16")
            write_sketch(stem, np.array(members, dtype="S32"), texts, keys)
        sketched = gather_sketches(stems)
        shingles_of = TextShingles([[contents[file_id] for file_id in members] for members in ids])
        choice = choose_survivors(sketched, shingles_of, PARAMS.jaccard_threshold, Path(folder) / "choice")
        numbered = [file_id for members in ids for file_id in members]
        drops = {}
        for shard, members in enumerate(ids):
            found = drops_of(sketched, choice.columns, shard)
            for row, exact, kept, value in zip(found.rows, found.exact, found.kept, found.jaccards, strict=True):
                drops[members[row]] = Drop("exact" if exact else "near", numbered[kept], float(value))
        return drops


def text(start: int, stop: int) -> str:
    return " ".join(f"token{number}" for number in range(start, stop))


def true_jaccard(left: str, right: str) -> float:
    """By the definition, over tuples of tokens that white space separates: no code of the component."""
    sets = []
    for content in (left, right):
        tokens = tuple(content.split())
        sets.append({tokens} if len(tokens) < 5 else {tokens[place : place + 5] for place in range(len(tokens) - 4)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def survivors_by_hand(contents: dict[str, str], nominated: set[tuple[str, str]]) -> set[str]:
    """The greedy rule by its definition: best first, a file stays unless it reaches the threshold with one that stays."""
    kept: list[str] = []
    for file_id in sorted(contents):
        betters = [other for other in kept if (other, file_id) in nominated or contents[other] == contents[file_id]]
        if all(true_jaccard(contents[file_id], contents[other]) < 0.7 for other in betters):
            kept.append(file_id)
    return set(kept)


def nominations(contents: dict[str, str]) -> set[tuple[str, str]]:
    """Pairs that share a band, the better file first."""
    keys = {}
    for file_id, content in contents.items():
        shingles = shingle(content, 5)
        keys[file_id] = SCHEME.band_keys_of_sets(shingles, np.array([0, shingles.size]))[0]
    ordered = sorted(contents)
    return {(one, two) for place, two in enumerate(ordered) for one in ordered[:place] if (keys[one] == keys[two]).any()}


def synthetic_files(seed: int, families: int, members: int) -> dict[str, str]:
    """Families of files whose members differ from the family's root by 0 to 30 replaced tokens, and some short files."""
    source = random.Random(seed)
    contents = {}
    for family in range(families):
        root = [f"w{source.randrange(10**6)}" for _ in range(source.randrange(8, 160))]
        for member in range(members):
            tokens = list(root)
            for _ in range(source.choice([0, 0, 1, 2, 4, 8, 30])):
                tokens[source.randrange(len(tokens))] = f"w{source.randrange(10**6)}"
            contents[f"{source.randrange(10**9):09d}-{family}-{member}"] = " ".join(tokens)
    return contents | {f"short{number}": f"x{number} = 1" for number in range(20)}


def test_of_a_chain_the_end_is_not_deleted_for_being_like_the_middle():
    contents = {"a": text(0, 100), "b": text(10, 110), "c": text(20, 120)}
    assert true_jaccard(contents["b"], contents["c"]) > 0.8
    assert true_jaccard(contents["a"], contents["c"]) < 0.7
    drops = choose(contents)
    assert set(drops) == {"b"}
    assert drops["b"].kept == "a"
    assert drops["b"].jaccard == true_jaccard(contents["a"], contents["b"])


def test_where_the_middle_of_a_chain_is_preferred_both_ends_go_for_it():
    drops = choose({"b": text(0, 100), "a": text(10, 110), "c": text(20, 120)})
    assert {file_id: drop.kept for file_id, drop in drops.items()} == {"b": "a", "c": "a"}


def test_exact_copies_go_for_the_preferred_one():
    assert choose({"c": "x = 1", "a": "x = 1", "b": "x = 2"}) == {"c": Drop("exact", "a", 1.0)}


def test_exact_copies_of_a_near_duplicate_name_the_file_that_is_kept():
    contents = {"a": text(0, 100), "b": text(2, 102), "c": text(2, 102)}
    drops = choose(contents)
    assert {key: (drop.reason, drop.kept) for key, drop in drops.items()} == {"b": ("near", "a"), "c": ("near", "a")}
    assert drops["b"].jaccard == drops["c"].jaccard == true_jaccard(contents["a"], contents["b"])


def test_short_files_and_files_with_one_header_stay():
    header = " ".join(f"licence{number}" for number in range(200))
    contents = {f"short{number}": f"x{number}" for number in range(50)}
    contents |= {f"header{number}": f"{header} {text(1000 * number, 1000 * number + 150)}" for number in range(20)}
    assert choose(contents) == {}


def test_every_drop_is_true_and_no_nominated_pair_is_kept_by_brute_force():
    contents = synthetic_files(seed=11, families=40, members=6)
    drops = choose(contents)
    kept = set(contents) - set(drops)
    assert 40 < len(drops) < len(contents)
    for file_id, drop in drops.items():
        assert drop.kept in kept
        assert drop.jaccard == true_jaccard(contents[file_id], contents[drop.kept]) >= 0.7
        assert drop.kept < file_id
    assert kept == survivors_by_hand(contents, nominations(contents))


@pytest.mark.parametrize("bucket_entries", [40, 500])
def test_the_size_of_buckets_does_not_matter(monkeypatch, bucket_entries):
    contents = synthetic_files(seed=5, families=6, members=4)
    whole = choose(contents)
    monkeypatch.setattr(sorted_runs, "BUCKET_ENTRIES", bucket_entries)
    assert choose(contents, shards=3) == whole


@pytest.mark.parametrize("windows", [(1,) * 40, (2, 3, 100), (3,) * 20])
def test_groups_larger_than_the_window_have_the_same_survivors(monkeypatch, windows):
    contents = synthetic_files(seed=2, families=2, members=40)
    whole = set(choose(contents))
    monkeypatch.setattr(greedy, "WINDOWS", windows)
    assert set(choose(contents)) == whole


def test_what_the_last_round_leaves_undecided_stays(monkeypatch):
    # a and b differ, but share a band of which c has a part, too: in a window of one, b and c are compared with a alone
    families = ({"a": text(n, n + 100), "b": text(n + 18, n + 118), "c": text(n + 20, n + 120)} for n in range(0, 10**6, 1000))
    contents = next(family for family in families if len(nominations(family)) == 3)
    assert set(choose(contents)) == {"c"}
    monkeypatch.setattr(greedy, "WINDOWS", (1,))
    assert choose(contents) == {}
    monkeypatch.setattr(greedy, "WINDOWS", (1, 1))
    assert set(choose(contents)) == {"c"}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_order_of_the_input_does_not_matter(seed: int, source: random.Random, shards: int):
    contents = synthetic_files(seed, families=4, members=4)
    order = list(contents)
    source.shuffle(order)
    assert choose(contents, order, shards) == choose(contents)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(list("abc=()1")), max_size=14).map(" ".join), max_size=12))
def test_drops_of_any_small_files_are_those_of_the_rule(texts: list[str]):
    contents = {f"{number:02d}": content for number, content in enumerate(texts)}
    drops = choose(contents)
    for file_id, drop in drops.items():
        assert drop.kept not in drops
        assert drop.jaccard == true_jaccard(contents[file_id], contents[drop.kept]) >= 0.7
    assert set(contents) - set(drops) == survivors_by_hand(contents, nominations(contents))

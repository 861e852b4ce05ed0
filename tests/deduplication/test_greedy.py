import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.deduplication.exact import content_key, group_exact
from snowcoder.deduplication.greedy import Candidate, Choice, choose_survivors, largest_cluster, nominate
from snowcoder.deduplication.index import NearDuplicateIndex, sketch
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.deduplication.shingles import CODE_TOKEN, shingle
from snowcoder.deduplication.survivors import Rank

PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1)


def text(start: int, stop: int) -> str:
    return " ".join(f"token{number}" for number in range(start, stop))


def candidate(file_id: str, content: str) -> Candidate:
    rank = Rank(0, 0.0, "repository", f"{file_id}.py", file_id)
    return Candidate(rank, content_key(content), sketch(content, PARAMS).band_keys)


def choose(contents: dict[str, str], order: list[str] | None = None) -> Choice:
    """The choice over files whose ids are their ranks: 'a' is preferred to 'b'."""
    files = [candidate(file_id, contents[file_id]) for file_id in order or contents]
    return choose_survivors(files, lambda wanted: {file_id: shingle(contents[file_id], 5) for file_id in wanted}, PARAMS)


def true_jaccard(left: str, right: str) -> float:
    """By the definition, over tuples of tokens: no code of the component but its token pattern."""
    sets = []
    for content in (left, right):
        tokens = tuple(CODE_TOKEN.findall(content))
        sets.append({tokens} if len(tokens) < 5 else {tokens[place : place + 5] for place in range(len(tokens) - 4)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


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
    drops = choose(contents).drops
    assert set(drops) == {"b"}
    assert drops["b"].kept_file_id == "a"
    assert drops["b"].jaccard == true_jaccard(contents["a"], contents["b"])


def test_where_the_middle_of_a_chain_is_preferred_both_ends_go_for_it():
    drops = choose({"b": text(0, 100), "a": text(10, 110), "c": text(20, 120)}).drops
    assert {file_id: drop.kept_file_id for file_id, drop in drops.items()} == {"b": "a", "c": "a"}


def test_exact_copies_go_for_the_preferred_one():
    choice = choose({"c": "x = 1", "a": "x = 1", "b": "x = 2"})
    assert {key: (drop.reason, drop.kept_file_id, drop.jaccard) for key, drop in choice.drops.items()} == {"c": ("exact", "a", 1.0)}


def test_exact_copies_of_a_near_duplicate_name_the_file_that_is_kept():
    contents = {"a": text(0, 100), "b": text(2, 102), "c": text(2, 102)}
    drops = choose(contents).drops
    assert {key: (drop.reason, drop.kept_file_id) for key, drop in drops.items()} == {"b": ("near", "a"), "c": ("near", "a")}
    assert drops["b"].jaccard == drops["c"].jaccard == true_jaccard(contents["a"], contents["b"])


def test_short_files_and_files_with_one_header_stay():
    header = " ".join(f"licence{number}" for number in range(200))
    contents = {f"short{number}": f"x{number}" for number in range(50)}
    contents |= {f"header{number}": f"{header} {text(1000 * number, 1000 * number + 150)}" for number in range(20)}
    assert choose(contents).drops == {}


def test_every_drop_is_true_and_no_nominated_pair_is_kept_by_brute_force():
    contents = synthetic_files(seed=11, families=40, members=6)
    drops = choose(contents).drops
    kept = sorted(set(contents) - set(drops))
    assert 40 < len(drops) < len(contents)
    for file_id, drop in drops.items():
        assert drop.kept_file_id in kept
        assert drop.jaccard == true_jaccard(contents[file_id], contents[drop.kept_file_id]) >= 0.7
        assert drop.kept_file_id < file_id
    missed = [(one, two) for place, one in enumerate(kept) for two in kept[:place] if true_jaccard(contents[one], contents[two]) >= 0.7]
    for one, two in missed:  # recall is a matter of chance: what is left are pairs that share no band
        index = NearDuplicateIndex(PARAMS)
        index.insert(two, contents[two])
        assert index.candidates(sketch(contents[one], PARAMS)) == []
    assert all(true_jaccard(contents[one], contents[two]) < 0.9 for one, two in missed)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(seed: int, source: random.Random):
    contents = synthetic_files(seed, families=4, members=4)
    order = list(contents)
    source.shuffle(order)
    assert choose(contents, order) == choose(contents)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.sampled_from(list("abc=()1")), max_size=14).map(" ".join), max_size=12))
def test_drops_of_any_small_files_are_true(texts: list[str]):
    contents = {f"{number:02d}": content for number, content in enumerate(texts)}
    drops = choose(contents).drops
    for file_id, drop in drops.items():
        assert drop.kept_file_id not in drops
        assert drop.jaccard == true_jaccard(contents[file_id], contents[drop.kept_file_id]) >= 0.7
    assert len({content_key(contents[key]) for key in contents if key not in drops}) == len(contents) - len(drops)


def test_only_files_that_share_a_band_are_nominated():
    files = [
        Candidate(Rank(0, 0.0, "r", "p", str(n)), b"", np.array(keys, dtype=np.uint64)) for n, keys in enumerate(((1, 2), (3, 2), (2, 1)))
    ]
    assert [file.rank.file_id for file in nominate(files)] == ["0", "1"]
    assert nominate([]) == []


def test_the_largest_cluster_is_told():
    drops = choose({"a": "x", "b": "x", "c": "x", "d": "y", "e": "y"}).drops
    assert largest_cluster(drops) == ("a", 2)
    assert largest_cluster({}) == ("", 0)


def test_groups_of_equal_bytes_are_led_by_their_first():
    assert group_exact([("p", b"1"), ("q", b"2"), ("r", b"1")]) == {"p": "p", "q": "q", "r": "p"}
    assert content_key("a\n") != content_key("a\r\n")

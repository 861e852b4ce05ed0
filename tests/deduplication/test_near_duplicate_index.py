import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.deduplication.near_duplicate_index import NearDuplicateIndex, sketch
from snowcoder.deduplication.shingles import jaccard, shingle

ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)
HEADER = " ".join(f"licence{number}" for number in range(200))


def text(start: int, stop: int) -> str:
    return " ".join(f"token{number}" for number in range(start, stop))


def test_an_equal_file_matches_with_jaccard_one_and_a_strange_one_not_at_all():
    index = NearDuplicateIndex(PARAMS)
    index.insert("a", text(0, 100))
    assert index.match(text(0, 100)) == ("a", 1.0)
    assert index.match(text(500, 600)) is None
    assert len(index) == 1


def test_the_match_names_the_exact_jaccard():
    index = NearDuplicateIndex(PARAMS)
    index.insert("a", text(0, 104))  # 100 shingles
    assert index.match(text(0, 94)) == ("a", 0.9)  # 90 of them


def test_the_most_alike_file_is_named_and_of_equals_the_first():
    index = NearDuplicateIndex(PARAMS)
    for key, stop in (("far", 90), ("first", 104), ("second", 104)):
        index.insert(key, text(0, stop))
    assert index.match(text(0, 104)) == ("first", 1.0)


def test_a_nominated_pair_below_the_threshold_does_not_match():
    strict = PARAMS.model_copy(update={"jaccard_threshold": 0.95})
    index = NearDuplicateIndex(strict)
    index.insert("a", text(0, 104))
    assert index.match(text(0, 94)) is None


def test_a_shared_licence_header_does_not_make_files_alike():
    index = NearDuplicateIndex(PARAMS)
    index.insert("a", f"{HEADER}\n{text(0, 200)}")
    assert index.match(f"{HEADER}\n{text(300, 500)}") is None


def test_short_files_match_only_their_like():
    index = NearDuplicateIndex(PARAMS)
    for key in ("import os", "x = 1", ""):
        index.insert(key, key)
    assert index.match("import re") is None
    assert index.match("import  os\n") == ("import os", 1.0)


def test_a_key_is_inserted_once():
    index = NearDuplicateIndex(PARAMS)
    index.insert("a", "x")
    with pytest.raises(ValueError, match="'a' is already in the index"):
        index.insert("a", "y")


def test_the_candidates_are_those_of_datasketchs_own_index():
    random = np.random.default_rng(5)
    contents = {f"{n}": text(start := int(random.integers(0, 60)), start + 104) for n in range(60)}
    ours, theirs = NearDuplicateIndex(PARAMS), MinHashLSH(num_perm=256, params=(25, 10))
    for key, content in contents.items():
        minhash = MinHash(num_perm=256, seed=1, hashfunc=int)
        minhash.update_batch((shingle(content, 5) >> np.uint64(32)).tolist())
        assert ours.candidates(sketch(content, PARAMS)) == sorted(theirs.query(minhash), key=int)
        ours.insert(key, content)
        theirs.insert(key, minhash)


def test_a_match_is_always_true():
    random = np.random.default_rng(6)
    index, contents = NearDuplicateIndex(PARAMS), {}
    for number in range(150):
        start = int(random.integers(0, 120))
        content = text(start, start + int(random.integers(3, 110)))
        match = index.match(content)
        if match:
            assert match[1] == jaccard(shingle(content, 5), shingle(contents[match[0]], 5)) >= 0.7
        contents[str(number)] = content
        index.insert(str(number), content)

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.deduplication.kernels import CHUNK, fold_bands
from snowcoder.deduplication.minhash import band_shape, make_scheme, nomination_probability
from snowcoder.deduplication.shingles import jaccard, shingle, text_buffer

ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)
SCHEME = make_scheme(PARAMS)


def pair_of_sets(seed: int, size: int, shared_fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of `size` random shingles of which a fraction is shared."""
    numbers = np.random.default_rng(seed).integers(0, 2**64, size=2 * size, dtype=np.uint64)
    shift = round(size * (1 - shared_fraction))
    return np.unique(numbers[:size]), np.unique(numbers[shift : shift + size])


def test_the_bands_are_those_of_the_peers():
    assert band_shape(0.7, 256) == (25, 10)  # bigcode's 25 x 10, from the same optimiser


def test_hand_computed_nomination_probabilities():
    assert nomination_probability(0.7, PARAMS) == pytest.approx(0.51147, abs=1e-5)
    assert nomination_probability(0.8, PARAMS) == pytest.approx(0.94156, abs=1e-5)
    assert nomination_probability(0.0, PARAMS) == 0.0
    assert nomination_probability(1.0, PARAMS) == 1.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 1500), st.floats(0, 1))
def test_the_estimate_is_near_the_true_jaccard(seed: int, size: int, shared_fraction: float):
    one, two = pair_of_sets(seed, size, shared_fraction)
    estimate = float(np.mean(SCHEME.signature(one) == SCHEME.signature(two)))
    # six standard deviations of a mean of 256 draws: 6 * sqrt(0.25 / 256)
    assert abs(estimate - jaccard(one, two)) <= 0.1875


def test_the_estimate_is_unbiased_over_many_pairs():
    pairs = [pair_of_sets(seed, 400, 0.8) for seed in range(60)]
    errors = [float(np.mean(SCHEME.signature(one) == SCHEME.signature(two))) - jaccard(one, two) for one, two in pairs]
    assert abs(np.mean(errors)) < 0.015  # four standard errors: 4 * 0.5 / sqrt(256 * 60)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 1000, CHUNK + 7])
def test_the_signature_is_datasketchs(size: int):
    shingles = np.unique(np.random.default_rng(3).integers(0, 2**64, size=size, dtype=np.uint64))
    theirs = MinHash(num_perm=256, seed=1, hashfunc=int, scheme="affine32")
    theirs.update_batch((shingles >> np.uint64(32)).tolist())
    assert np.array_equal(SCHEME.signature(shingles), theirs.hashvalues)


def test_another_seed_gives_another_signature():
    shingles = np.arange(50, dtype=np.uint64) << np.uint64(40)
    other = make_scheme(PARAMS.model_copy(update={"seed": 2}))
    assert not np.array_equal(SCHEME.signature(shingles), other.signature(shingles))


def test_texts_and_their_shingle_sets_have_the_same_bands():
    words = [f"w{number}" for number in range(40)]
    random = np.random.default_rng(4)
    lengths = (0, 1, 4, 5, 6, 500, CHUNK + 3, CHUNK + 5, CHUNK + 6, 3 * CHUNK)
    contents = [" ".join(random.choice(words, size=length)) + "\n" for length in lengths]
    sets = [shingle(content, 5) for content in contents]
    starts = np.cumsum([0, *(one.size for one in sets)])
    of_sets = SCHEME.band_keys_of_sets(np.concatenate(sets), starts)
    assert np.array_equal(SCHEME.band_keys_of_texts(*text_buffer(pa.chunked_array([contents]))), of_sets)


def test_bands_agree_exactly_where_all_their_rows_agree():
    one, two = np.arange(256, dtype=np.uint32), np.arange(256, dtype=np.uint32)
    two[13] += 1  # row 3 of band 1
    keys = np.empty((2, 25), dtype=np.uint64)
    for signature, row in zip((one, two), keys, strict=True):
        fold_bands(signature, 10, row)
    assert np.flatnonzero(keys[0] != keys[1]).tolist() == [1]
    assert len(set(keys[0].tolist())) == 25


def test_equal_rows_of_different_bands_have_different_keys():
    keys = np.empty(25, dtype=np.uint64)
    fold_bands(np.zeros(256, dtype=np.uint32), 10, keys)
    assert np.unique(keys).size == 25


def test_threshold_one_asks_for_equal_signatures():
    assert band_shape(1.0, 64) == (1, 64)

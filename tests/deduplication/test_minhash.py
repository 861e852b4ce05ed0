import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.deduplication.minhash import BATCH_SHINGLES, band_keys, band_shape, nomination_probability, signature
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.deduplication.shingles import jaccard

PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1)


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
    estimate = float(np.mean(signature(one, PARAMS) == signature(two, PARAMS)))
    # six standard deviations of a mean of 256 draws: 6 * sqrt(0.25 / 256)
    assert abs(estimate - jaccard(one, two)) <= 0.1875


def test_the_estimate_is_unbiased_over_many_pairs():
    pairs = [pair_of_sets(seed, 400, 0.8) for seed in range(60)]
    errors = [float(np.mean(signature(one, PARAMS) == signature(two, PARAMS))) - jaccard(one, two) for one, two in pairs]
    assert abs(np.mean(errors)) < 0.015  # four standard errors: 4 * 0.5 / sqrt(256 * 60)


def test_the_signature_is_datasketchs_whatever_the_batches():
    shingles = np.unique(np.random.default_rng(3).integers(0, 2**64, size=2 * BATCH_SHINGLES + 7, dtype=np.uint64))
    whole = MinHash(num_perm=256, seed=1, hashfunc=int)
    whole.update_batch((shingles >> np.uint64(32)).tolist())
    assert np.array_equal(signature(shingles, PARAMS), whole.hashvalues)


def test_another_seed_gives_another_signature():
    shingles = np.arange(50, dtype=np.uint64) << np.uint64(40)
    assert not np.array_equal(signature(shingles, PARAMS), signature(shingles, PARAMS.model_copy(update={"seed": 2})))


def test_bands_agree_exactly_where_all_their_rows_agree():
    one = np.arange(256, dtype=np.uint32)
    two = one.copy()
    two[13] += 1  # row 3 of band 1
    assert np.flatnonzero(band_keys(one, PARAMS) != band_keys(two, PARAMS)).tolist() == [1]


def test_threshold_one_asks_for_equal_signatures():
    assert band_shape(1.0, 64) == (1, 64)

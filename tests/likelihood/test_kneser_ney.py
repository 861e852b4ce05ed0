"""Kneser-Ney at points computed by hand, against a slow version of its formulas, and as a distribution."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snowcoder.likelihood.kneser_ney import FALLBACK_DISCOUNTS, KneserNey, estimate_discounts
from snowcoder.likelihood.ngram_counts import count_ngrams
from snowcoder.likelihood.text_tokens import EncodedText

VOCABULARY = 4
SEQUENCES = st.tuples(st.integers(0, 12), st.integers(1, 9)).flatmap(
    lambda shape: arrays(np.uint16, shape, elements=st.integers(0, VOCABULARY - 1))
)
CONTEXTS = st.lists(st.integers(0, VOCABULARY - 1), max_size=3)


def distribution(model: KneserNey, context: list[int], vocab_size: int = VOCABULARY) -> np.ndarray:
    """The probability of every id after a context, from the bits of texts."""
    texts = [EncodedText([*context, token], len(context), 1) for token in range(vocab_size)]
    return 2.0 ** -model.bits(texts)


def bigrams(times: dict[tuple[int, int], int]) -> np.ndarray:
    """Sequences of two ids."""
    return np.array([pair for pair, n in times.items() for _ in range(n)])


def slow_discounts(times: list[int]) -> tuple[float, ...]:
    n = Counter(times)
    if not (n[1] and n[2] and n[3] and n[4]):
        return FALLBACK_DISCOUNTS
    y = n[1] / (n[1] + 2 * n[2])
    found = tuple(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))
    return found if all(0 < found[k - 1] <= k for k in (1, 2, 3)) else FALLBACK_DISCOUNTS


def slow_probability(sequences: list[list[int]], vocab_size: int, order: int, context: tuple[int, ...], token: int) -> float:
    """The formulas of the module's docstring over dictionaries, one n-gram at a time."""
    context = context[max(0, len(context) - order + 1) :]
    probability = 1 / vocab_size
    for size in range(1, len(context) + 2):
        own_context = context[len(context) - size + 1 :]
        counts: Counter[tuple[int, ...]] = Counter()
        if size == order:
            counts.update(tuple(s[i : i + size]) for s in sequences for i in range(len(s) - size + 1))
        else:
            before = defaultdict(set)
            for s in sequences:
                for i in range(len(s) - size):
                    before[tuple(s[i + 1 : i + 1 + size])].add(s[i])
            counts.update({ngram: len(found) for ngram, found in before.items()})
        discounts = (0.0, *slow_discounts(list(counts.values())))
        after = {ngram[-1]: n for ngram, n in counts.items() if ngram[:-1] == own_context}
        if not after:
            break
        own = after.get(token, 0)
        left = sum(discounts[min(n, 3)] for n in after.values())
        probability = (own - discounts[min(own, 3)] + left * probability) / sum(after.values())
    return probability


def test_a_bigram_model_computed_by_hand() -> None:
    """n1 to n4 of the bigrams are 4, 2, 1, 1: Y = 4/8, D1 = 1 - 2/2 * 2/4 = 0.5, D2 = 2 - 3/2 * 1/2 = 1.25, D3+ = 3 - 4/2 * 1/1 = 1.

    The ids 0 to 3 follow 1, 2, 2 and 3 distinct ids: counts of counts 1, 2, 1, 0 give no estimate, so that 0.5, 1 and 1.5 are taken off.
    """
    model = KneserNey.fit(
        bigrams({(0, 1): 1, (0, 2): 2, (0, 3): 3, (1, 0): 4, (1, 2): 1, (2, 1): 2, (2, 3): 1, (3, 3): 1}), VOCABULARY, order=2
    )
    # lowest order: (count - discount) / 8, and the discounts' sum 4 / 8, spread over 4 ids
    lowest = [0.5 / 8 + 0.125, 1 / 8 + 0.125, 1 / 8 + 0.125, 1.5 / 8 + 0.125]
    np.testing.assert_allclose(distribution(model, []), lowest)
    # after 0: six bigrams, 0.5 + 1.25 + 1 taken off
    after_zero = [2.75 * lowest[0] / 6, (0.5 + 2.75 * lowest[1]) / 6, (0.75 + 2.75 * lowest[2]) / 6, (2 + 2.75 * lowest[3]) / 6]
    np.testing.assert_allclose(distribution(model, [0]), after_zero)
    # after 1: five bigrams, 1 + 0.5 taken off
    after_one = [(3 + 1.5 * lowest[0]) / 5, 1.5 * lowest[1] / 5, (0.5 + 1.5 * lowest[2]) / 5, 1.5 * lowest[3] / 5]
    np.testing.assert_allclose(distribution(model, [3, 1]), after_one)
    [bits] = model.bits([EncodedText([0, 1, 0, 3], 2, 7)])
    assert bits == pytest.approx(-math.log2(after_one[0]) - math.log2(after_zero[3]))


def test_a_trigram_model_computed_by_hand() -> None:
    """Of 0 1 2, 0 1 2 and 3 1 0 no order has all counts of counts: 0.5, 1 and 1.5 are taken off.

    Lowest order: bigrams 0 1, 3 1, 1 2, 1 0, so that 1 follows two ids, 0 and 2 one. Middle: 1 2 follows 0 alone, 1 0 follows 3 alone.
    """
    model = KneserNey.fit(np.array([[0, 1, 2], [0, 1, 2], [3, 1, 0]]), VOCABULARY, order=3)
    lowest = {0: (0.5 + 2 / 4) / 4, 1: (1 + 2 / 4) / 4, 2: (0.5 + 2 / 4) / 4, 3: (2 / 4) / 4}
    after_one = {token: (0.5 * (token in (0, 2)) + 1 * lowest[token]) / 2 for token in lowest}
    after_both = [(1 * (token == 2) + 1 * after_one[token]) / 2 for token in lowest]
    np.testing.assert_allclose(distribution(model, [0, 1]), after_both)
    np.testing.assert_allclose(distribution(model, [2, 1]), list(after_one.values()))  # never seen: the shorter context
    np.testing.assert_allclose(distribution(model, [1, 3]), list(lowest.values()))


@given(SEQUENCES, st.integers(1, 3), CONTEXTS)
def test_it_equals_a_slow_version_of_its_formulas(sequences: np.ndarray, order: int, context: list[int]) -> None:
    model = KneserNey.fit(sequences, VOCABULARY, order)
    expected = [slow_probability(sequences.tolist(), VOCABULARY, order, tuple(context), token) for token in range(VOCABULARY)]
    np.testing.assert_allclose(distribution(model, context), expected, rtol=1e-12)


def test_it_equals_the_slow_version_where_discounts_are_estimated() -> None:
    weights = 1 / np.arange(1, 13)
    sequences = np.random.default_rng(3).choice(12, size=(40, 12), p=weights / weights.sum())
    model = KneserNey.fit(sequences, 12, 3)
    for order in (2, 3):
        assert estimate_discounts(count_ngrams(sequences, 12, order).counts[-1]) != FALLBACK_DISCOUNTS
    for context in ([], [0], [1, 0], [11, 10], [3, 0, 1]):
        expected = [slow_probability(sequences.tolist(), 12, 3, tuple(context), token) for token in range(12)]
        np.testing.assert_allclose(distribution(model, context, 12), expected, rtol=1e-12)


@given(SEQUENCES, st.integers(1, 3), CONTEXTS)
def test_every_context_has_a_distribution_without_zeros(sequences: np.ndarray, order: int, context: list[int]) -> None:
    probabilities = distribution(KneserNey.fit(sequences, VOCABULARY, order), context)
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities.min() > 0


@given(SEQUENCES, st.integers(1, 3), st.randoms())
def test_the_order_of_sequences_changes_nothing(sequences: np.ndarray, order: int, random: object) -> None:
    places = list(range(len(sequences)))
    random.shuffle(places)  # type: ignore[attr-defined]
    texts = [EncodedText([0, a, b, 1], 1, 3) for a in range(VOCABULARY) for b in range(VOCABULARY)]
    first, second = (KneserNey.fit(rows, VOCABULARY, order).bits(texts) for rows in (sequences, sequences[places]))
    assert first.tobytes() == second.tobytes()


def test_an_unseen_id_costs_its_share_of_what_is_left_for_all() -> None:
    model = KneserNey.fit(np.array([[0, 0, 0, 0, 1]]), 1000, order=1)
    # counts 4 and 1: 1.5 and 0.5 are taken off five, and spread over the 1,000 ids
    assert distribution(model, [7], 1000)[999] == pytest.approx(2 / 5 / 1000)
    untrained = KneserNey.fit(np.empty((0, 8), dtype=np.uint16), 1000, order=3)
    np.testing.assert_allclose(distribution(untrained, [1, 2], 1000), 1 / 1000)


def test_counts_made_in_parts_train_the_same_model() -> None:
    sequences = np.random.default_rng(1).integers(0, VOCABULARY, size=(30, 8))
    texts = [EncodedText(row, 1, 8) for row in np.random.default_rng(2).integers(0, VOCABULARY, size=(5, 8)).tolist()]
    counts = count_ngrams(sequences[:20], VOCABULARY, 3) + count_ngrams(sequences[20:], VOCABULARY, 3)
    for order in (1, 2, 3):
        whole = KneserNey.fit(sequences, VOCABULARY, order).bits(texts)
        assert KneserNey.from_counts(counts, order).bits(texts).tobytes() == whole.tobytes()


def test_discounts_at_hand_computed_points() -> None:
    assert estimate_discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4, 9])) == (0.5, 1.25, 1.0)
    for without_estimate in ([], [1, 1, 1], [2, 3, 4], [1, 2, 3], [1, 2, 3, 3, 3, 4]):  # of the last, D2 would be 2 - 3/3 * 3
        assert estimate_discounts(np.array(without_estimate, dtype=np.int64)) == FALLBACK_DISCOUNTS


def test_only_charged_ids_are_paid_for_and_no_texts_cost_nothing() -> None:
    model = KneserNey.fit(np.array([[0, 1, 2, 3, 0, 1]]), VOCABULARY, order=2)
    whole, last, before = model.bits([EncodedText([0, 1, 2, 3], 1, 3), EncodedText([0, 1, 2, 3], 3, 1), EncodedText([0, 1, 2], 1, 2)])
    assert whole == pytest.approx(last + before)
    assert model.bits([]).tolist() == []
    assert model.bits([EncodedText([0, 1], 2, 0)]).tolist() == [0.0]


def test_ids_of_another_vocabulary_are_refused() -> None:
    model = KneserNey.fit(np.array([[0, 1]]), VOCABULARY, order=2)
    with pytest.raises(ValueError, match="ids 0 to 4; allowed: 0 to 3; encode with its tokenizer"):
        model.bits([EncodedText([0, 4], 1, 1)])
    with pytest.raises(ValueError, match="order 3; the n-grams are counted from order 1 to 2"):
        KneserNey.from_counts(count_ngrams(np.array([[0, 1]]), VOCABULARY, 2), 3)

"""dsir and hashed_ngrams: hand-computed importance, no leak from a repository to its own files, the same bytes again."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.baselines import dsir
from snowcoder.baselines.baseline_params import HashedNgramsParams
from snowcoder.baselines.examples import NO_FOLD, assign_folds, choose_examples
from snowcoder.baselines.hashed_ngrams import fit_classifiers
from snowcoder.baselines.ngram_counts import count_ngrams
from snowcoder.errors import EmptyResultError

BUCKETS = 64
FOLDS = 3
PARAMS = HashedNgramsParams(buckets=BUCKETS, epochs=3, l2=1e-4)
WORDS = st.lists(st.sampled_from(["for", "return", "import", "x", "+", "self"]), min_size=1, max_size=12).map(" ".join)


def test_single_words_and_pairs_are_counted_in_lower_case() -> None:
    counts = count_ngrams(["For x += for", "for"], 10_000).toarray()
    # for (twice), x, +=; "for x", "x +=", "+= for"
    assert counts.sum(axis=1).tolist() == [7.0, 1.0]
    assert counts[0, counts[1] == 1.0].tolist() == [2.0]


def test_importance_is_the_mean_log_ratio_of_smoothed_frequencies() -> None:
    counts = count_ngrams(["a", "b"], 2)  # both hash where they hash: take what they gave
    positive, ordinary = counts.toarray().astype(int)
    ratios = dsir.fit_log_ratios(counts, np.array([True, False]), np.array([NO_FOLD, NO_FOLD]), 1)
    expected = [math.log2((positive[bucket] + 1) / 3) - math.log2((ordinary[bucket] + 1) / 3) for bucket in (0, 1)]
    assert ratios[0].tolist() == pytest.approx(expected, abs=1e-8)
    text = count_ngrams(["a", "a b"], 2)
    folds = np.zeros(2, dtype=np.int64)
    sums = text.toarray() @ np.array(expected)
    assert dsir.score(text, ratios, folds).tolist() == pytest.approx([sums[0], sums[1] / 3], abs=1e-7)
    assert dsir.score(count_ngrams([""], 2), ratios, folds[:1]).tolist() == [0.0]


def test_a_longer_file_of_the_same_words_is_no_more_important() -> None:
    counts = count_ngrams(["good code", "bad code"], BUCKETS)
    ratios = dsir.fit_log_ratios(counts, np.array([True, False]), np.array([NO_FOLD, NO_FOLD]), 1)
    once, often = dsir.score(count_ngrams(["good", "good " * 50], BUCKETS), ratios, np.zeros(2, dtype=np.int64))
    assert once > 0
    assert often < 2 * once  # a sum would be a hundred times as much


def test_positives_score_higher_with_both() -> None:
    texts = [f"for x in y : total += x {index}" for index in range(20)] + [f"import os ; self . name = name {index}" for index in range(20)]
    is_positive, folds = np.arange(40) < 20, np.array([NO_FOLD] * 20 + [index % FOLDS for index in range(20)])
    counts = count_ngrams(texts, 4096)
    unseen = count_ngrams(["total += y", "self . path = path"], 4096)
    ratios = dsir.fit_log_ratios(counts, is_positive, folds, FOLDS)
    classifiers = fit_classifiers(counts, is_positive, folds, FOLDS, PARAMS, 1)
    for fold in range(FOLDS):
        of_file = np.array([fold, fold])
        assert np.diff(dsir.score(unseen, ratios, of_file))[0] < 0
        assert np.diff(classifiers.score(unseen, of_file))[0] < 0


@settings(max_examples=40)
@given(st.lists(WORDS, min_size=12, max_size=12), st.lists(WORDS, min_size=4, max_size=4), st.data())
def test_neither_texts_nor_labels_of_a_fold_change_the_models_that_score_it(
    texts: list[str], others: list[str], data: st.DataObject
) -> None:
    is_positive = np.array([True] * 4 + [False] * 8)
    folds = np.array([NO_FOLD, NO_FOLD, 1, 2, *(index % FOLDS for index in range(8))])
    fold = data.draw(st.integers(0, FOLDS - 1))
    own = np.flatnonzero(folds == fold)
    changed_texts = list(texts)
    for place, text in zip(own, others, strict=False):
        changed_texts[place] = text
    changed_labels = is_positive.copy()
    changed_labels[own] = data.draw(st.lists(st.booleans(), min_size=len(own), max_size=len(own)))
    before, after = count_ngrams(texts, BUCKETS), count_ngrams(changed_texts, BUCKETS)
    ratios = [dsir.fit_log_ratios(*what, folds, FOLDS)[fold] for what in ((before, is_positive), (after, changed_labels))]
    assert ratios[0].tobytes() == ratios[1].tobytes()
    fitted = [fit_classifiers(*what, folds, FOLDS, PARAMS, 1) for what in ((before, is_positive), (after, changed_labels))]
    assert fitted[0].weights[fold].tobytes() == fitted[1].weights[fold].tobytes()
    assert fitted[0].biases[fold] == fitted[1].biases[fold]


def pool_of(contents: list[str], n_repositories: int) -> pa.Table:
    """Pool files in turns over repositories, and two positives, one of a repository of the pool."""
    rows = [
        {"file_id": f"{index:03d}", "source": "corpus", "repository": f"r{index % n_repositories}", "content_sha256": content}
        for index, content in enumerate(contents)
    ]
    rows += [{"file_id": f"p{name}", "source": "instruction", "repository": name, "content_sha256": "x"} for name in ("r0", "elsewhere")]
    return pa.Table.from_pylist([row | {"language": "python"} for row in rows])


@given(st.lists(st.text("abc", max_size=4), min_size=12, max_size=40), st.integers(0, 3), st.integers(1, 30))
def test_which_ordinary_files_other_folds_give_does_not_depend_on_a_repositorys_own_texts(
    contents: list[str], repository: int, n_ordinary: int
) -> None:
    changed = [f"{content}!" if index % 4 == repository else content for index, content in enumerate(contents)]
    folds = assign_folds([f"r{index}" for index in range(4)], 2, 1)
    fold = folds[f"r{repository}"]
    seen = []
    for table in (pool_of(contents, 4), pool_of(changed, 4)):
        try:
            examples = choose_examples(table, folds, n_ordinary, 1)
        except EmptyResultError:
            return
        seen.append([file_id for file_id, of_file in zip(examples.file_ids, examples.folds, strict=True) if of_file != fold])
    assert seen[0] == seen[1]


def test_positives_of_a_repository_of_the_pool_are_kept_from_its_fold_and_others_serve_all() -> None:
    folds = assign_folds(["r0", "r1", "r2", "r3"], 2, 1)
    examples = choose_examples(pool_of([f"{index:02d}" for index in range(40)], 4), folds, 1000, 1)
    of_file = dict(zip(examples.file_ids, examples.folds.tolist(), strict=True))
    assert (of_file["pr0"], of_file["pelsewhere"]) == (folds["r0"], NO_FOLD)
    assert len(of_file) == 42
    assert examples.is_positive.sum() == 2


def test_folds_have_equally_many_repositories_whatever_their_order() -> None:
    names = [f"r{index}" for index in range(11)]
    folds = assign_folds(names, 5, 1)
    assert sorted(list(folds.values()).count(fold) for fold in range(5)) == [2, 2, 2, 2, 3]
    assert assign_folds(names[::-1] * 2, 5, 1) == folds
    assert assign_folds(names, 5, 2) != folds


def test_repositories_of_one_owner_share_a_fold() -> None:
    names = [f"{owner}-{part}" for owner in ("jaraco", "google", "zope", "oslo") for part in ("a", "b", "c")]
    folds = assign_folds(names, 2, 1)
    assert all(len({folds[name] for name in names if name.startswith(owner)}) == 1 for owner in ("jaraco", "google", "zope", "oslo"))
    assert set(folds.values()) == {0, 1}
    assert len(set(assign_folds(["jaraco-a", "jaraco-b"], 2, 1).values())) == 2  # fewer families than folds


def test_ordinary_files_are_in_the_positives_languages_in_their_proportions() -> None:
    rows = [{"source": "corpus", "repository": f"r{index % 7}", "language": ["python", "c", "css"][index % 3]} for index in range(9000)]
    rows += [{"source": "high_quality", "repository": "p", "language": language} for language in ["python"] * 3 + ["c"]]
    table = pa.Table.from_pylist([row | {"file_id": f"{index:05d}", "content_sha256": str(index)} for index, row in enumerate(rows)])
    examples = choose_examples(table, assign_folds([f"r{index}" for index in range(7)], 2, 1), 1000, 1)
    languages = [
        rows[int(file_id)]["language"] for file_id, positive in zip(examples.file_ids, examples.is_positive, strict=True) if not positive
    ]
    assert 650 < languages.count("python") < 850
    assert 190 < languages.count("c") < 310
    assert "css" not in languages


def test_a_pool_without_files_in_the_positives_languages_is_an_error() -> None:
    table = pool_of(["a", "b"], 2).set_column(4, "language", pa.array(["css", "css", "python", "python"]))
    with pytest.raises(EmptyResultError, match="found 1 positives and 0 ordinary files in their languages outside of fold 0"):
        choose_examples(table, {"r0": 0, "r1": 1}, 10, 1)

"""Examples of the recipes: matched negatives, train only, without the repositories of a fold."""

from collections import Counter
from typing import Any

import pytest

from snowcoder.annotator.examples import Example, RecipeParams, choose_examples, choose_training
from snowcoder.annotator.folds import assign_folds, judging_folds
from snowcoder.errors import EmptyResultError
from tests.annotator.shared_params import shared_params

SHARED = shared_params(negatives_per_positive=2.0)
HQINS = RecipeParams(kind="classification", positives=["high_quality", "instruction"], min_label=3.5)
INS = RecipeParams(kind="classification", positives=["educational", "instruction"], min_label=3.5)
EDU = RecipeParams(kind="regression", positives=[], min_label=3.0)


def rows(source: str, language: str, n_files: int, n_repositories: int) -> list[dict[str, Any]]:
    return [
        {
            "file_id": f"{source}-{language}-{index:03d}",
            "source": source,
            "repository": f"{source}-{index // 3 % n_repositories}",
            "language": language,
            "split": "train",
            "n_bytes": 100 + index,
        }
        for index in range(n_files)
    ]


FILES = (
    rows("corpus", "python", 100, 10)
    + rows("corpus", "css", 50, 10)
    + rows("high_quality", "python", 12, 4)
    + rows("instruction", "python", 8, 4)
)
LABELS = {row["file_id"]: 5.0 if index % 5 == 0 else 1.0 for index, row in enumerate(FILES[:150])}


def negatives(examples: list[Example]) -> list[Example]:
    return [example for example in examples if not example.is_positive]


def test_negatives_are_matched_to_the_languages_of_the_positives() -> None:
    examples = choose_examples(FILES, {}, SHARED, HQINS)
    assert Counter(example.kind for example in examples) == {"high_quality": 12, "instruction": 8, "negative": 40}
    assert {example.language for example in negatives(examples)} == {"python"}


def test_educational_files_are_positives_and_never_negatives() -> None:
    examples = choose_examples(FILES, LABELS, SHARED, INS)
    kinds = Counter((example.kind, example.language) for example in examples)
    assert kinds["educational", "python"] == 20
    assert kinds["educational", "css"] == 10
    # 2 x 10 css positives of 40 css files left; 2 x 28 python positives of 80 left
    assert kinds["negative", "css"] == 20
    assert kinds["negative", "python"] == 56
    assert len({example.file_id for example in examples}) == len(examples)


def test_a_regression_takes_every_labelled_file() -> None:
    examples = choose_examples(FILES, LABELS, SHARED, EDU)
    assert len(examples) == 150
    assert {(example.target, example.is_positive) for example in examples} == {(5.0, True), (1.0, False)}


@pytest.mark.parametrize("recipe", [HQINS, INS, EDU])
def test_the_examples_for_a_fold_are_those_of_a_corpus_without_it(recipe: RecipeParams) -> None:
    folds = judging_folds(assign_folds(FILES, 4, seed=1), FILES, recipe.positives, seed=1)
    for fold in range(4):
        outside = [row for row in FILES if folds.by_repository.get(row["repository"]) != fold]
        examples = choose_training(FILES, LABELS, SHARED, recipe, folds, fold)
        assert examples == choose_examples(outside, LABELS, SHARED, recipe)
        assert not {example.repository for example in examples} & {name for name, of in folds.by_repository.items() if of == fold}


def test_order_of_the_rows_does_not_matter() -> None:
    assert choose_examples(reversed(FILES), LABELS, SHARED, INS) == choose_examples(FILES, LABELS, SHARED, INS)


def test_fewer_negatives_than_asked_for_are_all_taken() -> None:
    few = rows("corpus", "python", 5, 3) + rows("instruction", "python", 8, 4)
    assert len(negatives(choose_examples(few, {}, SHARED, HQINS))) == 5


def test_a_language_that_the_corpus_lacks_gives_positives_and_no_negatives() -> None:
    foreign = rows("high_quality", "rust", 6, 3)
    examples = choose_examples(FILES + foreign, {}, SHARED, HQINS)
    kinds = Counter((example.kind, example.language) for example in examples)
    assert (kinds["high_quality", "rust"], kinds["negative", "rust"], kinds["negative", "python"]) == (6, 0, 40)
    with pytest.raises(EmptyResultError, match="found 6 positives and 0 negatives"):
        choose_examples(rows("corpus", "css", 50, 10) + foreign, {}, SHARED, HQINS)


def test_nothing_to_learn_from_or_to_judge_on_is_an_error() -> None:
    with pytest.raises(EmptyResultError, match="found 0 positives"):
        choose_examples(rows("corpus", "python", 5, 3), {}, SHARED, HQINS)
    one_of_each = rows("corpus", "python", 5, 1) + rows("instruction", "python", 8, 1)
    assert len(choose_examples(one_of_each, {}, SHARED, HQINS)) == 13
    with pytest.raises(EmptyResultError, match=r"found 8 positives and 0 negatives outside of fold 0 of 2; allowed: .* two repositories"):
        choose_training(one_of_each, {}, SHARED, HQINS, assign_folds(one_of_each, 2, seed=1), 0)


def test_held_out_files_of_the_corpus_are_refused() -> None:
    with pytest.raises(AssertionError, match="only see the train split"):
        choose_examples([{**FILES[0], "split": "held_out"}], {}, SHARED, HQINS)

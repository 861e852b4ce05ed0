"""Examples of the recipes: matched negatives, train only, held-out repositories."""

from collections import Counter
from typing import Any

import pytest

from snowcoder.annotator.examples import Example, RecipeParams, choose_examples
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
def test_repositories_are_held_out_whole(recipe: RecipeParams) -> None:
    examples = choose_examples(FILES, LABELS, SHARED, recipe)
    sides: dict[str, set[bool]] = {}
    for example in examples:
        sides.setdefault(example.repository, set()).add(example.is_held_out)
    assert all(len(side) == 1 for side in sides.values())
    for is_positive in (True, False):
        members = [example.is_held_out for example in examples if example.is_positive == is_positive]
        assert 0 < sum(members) / len(members) <= 0.4


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
    with pytest.raises(EmptyResultError, match="held-out"):
        choose_examples(rows("corpus", "python", 5, 1) + rows("instruction", "python", 8, 1), {}, SHARED, HQINS)


def test_held_out_files_of_the_corpus_are_refused() -> None:
    with pytest.raises(AssertionError, match="only see the train split"):
        choose_examples([{**FILES[0], "split": "held_out"}], {}, SHARED, HQINS)

"""Fits the heads of all folds: those that score the corpus, and those that are judged.

in: rows of embedding_table, labels  out: CrossFit (who is trained on what), heads, cross-fitted scores of the examples (see folds)

The head that scores a fold is fitted without the fold's repositories of the corpus, but with all positives from outside: no file that it
scores is of their repositories, and heads that differ only in their negatives give scores of one scale. With a fifth of the positives' few
repositories left out of each head as well, the scale of the scores and the choice depend on the draw of the folds. Seen on the default
corpus: tokens (of 205k) chosen under two seeds of the folds that are the same (Jaccard), HQ 0.45 and HQINS 0.55 without a fifth of the
positives, 0.74 for both with all of them.

No such head can be judged on its own positives. So each fold also has a head for judging, which lacks the fold's positives too: it says how
the recipe does on repositories that it has not seen, with a part of the positives fewer than the heads that score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.annotator.examples import AnnotatorParams, Example, RecipeParams, choose_examples, choose_training
from snowcoder.annotator.folds import Folds, assign_folds, judging_folds
from snowcoder.annotator.head import Head, mean_by_file
from snowcoder.annotator.head_fitting import fit_head, read_vectors
from snowcoder.embedding.embedding_table import SectionVectors
from snowcoder.words import TRAIN


@dataclass(frozen=True)
class CrossFit:
    """folds: of the corpus' repositories. judged: all examples, judged_folds: int64 fold of each. scoring, judging: for each fold, the
    examples that its head is fitted on, to score the corpus and to be judged. Examples are sorted by file_id."""

    folds: Folds
    judged: list[Example]
    judged_folds: np.ndarray
    scoring: list[list[Example]]
    judging: list[list[Example]]

    @cached_property
    def every_example(self) -> list[Example]:
        """Each file once, sorted by file_id: its target is the same wherever it is an example."""
        examples = {example.file_id: example for part in (self.judged, *self.scoring, *self.judging) for example in part}
        return [examples[file_id] for file_id in sorted(examples)]

    def judged_in(self, fold: int) -> list[Example]:
        """The examples that the head of `fold` is judged on."""
        return [self.judged[place] for place in np.flatnonzero(self.judged_folds == fold)]


def plan_cross_fit(
    files: Sequence[Mapping[str, Any]], labels: Mapping[str, float], shared: AnnotatorParams, recipe: RecipeParams
) -> CrossFit:
    """files: one row per file, of both splits; held-out repositories get a fold and no example. Raises EmptyResultError if a fold leaves
    no positive or no negative to be fitted on."""
    folds = assign_folds(files, shared.folds, shared.seed)
    with_positives = judging_folds(folds, files, recipe.positives, shared.seed)
    train = [row for row in files if row["split"] == TRAIN]
    judged = choose_examples(train, labels, shared, recipe)
    scoring, judging = (
        [choose_training(train, labels, shared, recipe, left_out, fold) for fold in range(folds.n)] for left_out in (folds, with_positives)
    )
    return CrossFit(folds, judged, with_positives.of([example.repository for example in judged]), scoring, judging)


class ExampleVectors:
    """Section vectors of every example of a plan, read once."""

    def __init__(self, shards: Sequence[Path], plan: CrossFit) -> None:
        self._places = {example.file_id: place for place, example in enumerate(plan.every_example)}
        self._vectors = read_vectors(shards, plan.every_example)

    def of(self, examples: Sequence[Example]) -> SectionVectors:
        """Those of some examples, in their order."""
        return self._vectors.take(np.array([self._places[example.file_id] for example in examples], dtype=np.int64))


@dataclass(frozen=True)
class Heads:
    """Of each fold: the head that scores it, and the head that is judged on it."""

    scoring: list[Head]
    judging: list[Head]


def fit_heads(name: str, recipe: RecipeParams, l2: float, labeller: str | None, plan: CrossFit, vectors: ExampleVectors) -> Heads:
    """All heads of the plan."""
    scoring = [fit_head(name, recipe, l2, labeller, vectors.of(examples), examples) for examples in plan.scoring]
    judging = [
        head if examples == same else fit_head(name, recipe, l2, labeller, vectors.of(examples), examples)
        for head, same, examples in zip(scoring, plan.scoring, plan.judging, strict=True)
    ]
    return Heads(scoring, judging)


def cross_fitted_scores(heads: Heads, plan: CrossFit, vectors: ExampleVectors) -> np.ndarray:
    """float64 score of each judged example, by the head for judging of its fold."""
    scores = np.empty(len(plan.judged))
    for fold, head in enumerate(heads.judging):
        own = vectors.of(plan.judged_in(fold))
        scores[plan.judged_folds == fold] = mean_by_file(head.score_sections(own.embeddings), own.starts)
    return scores

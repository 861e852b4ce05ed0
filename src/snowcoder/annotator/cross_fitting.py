"""Fits one head for each fold on the examples of the other folds, and scores every example by its own fold's head.

in: rows of embedding_table, labels  out: heads, cross-fitted scores of the examples (see folds)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.annotator.examples import AnnotatorParams, Example, RecipeParams, choose_examples, choose_training
from snowcoder.annotator.folds import Folds, assign_folds
from snowcoder.annotator.head import Head, mean_by_file
from snowcoder.annotator.head_fitting import fit_head, read_vectors
from snowcoder.embedding.embedding_table import SectionVectors
from snowcoder.words import TRAIN


@dataclass(frozen=True)
class CrossFit:
    """judged: the examples that the heads are judged on. training: of each fold, without its repositories. Each sorted by file_id."""

    folds: Folds
    judged: list[Example]
    training: list[list[Example]]

    @property
    def every_example(self) -> list[Example]:
        """Each file once, sorted by file_id: its target is the same wherever it is an example."""
        examples = {example.file_id: example for part in (self.judged, *self.training) for example in part}
        return [examples[file_id] for file_id in sorted(examples)]

    def of_fold(self, fold: int) -> np.ndarray:
        """int64 places of the judged examples that belong to `fold`."""
        return np.flatnonzero(self.folds.of([example.repository for example in self.judged]) == fold)


def plan_cross_fit(
    files: Sequence[Mapping[str, Any]], labels: Mapping[str, float], shared: AnnotatorParams, recipe: RecipeParams
) -> CrossFit:
    """Folds of all repositories of `files`, and the examples of its train split. Raises EmptyResultError as choose_training does."""
    folds = assign_folds(files, recipe.positives, shared.folds, shared.seed)
    train = [row for row in files if row["split"] == TRAIN]
    judged = choose_examples(train, labels, shared, recipe)
    return CrossFit(folds, judged, choose_training(train, labels, shared, recipe, folds))


class ExampleVectors:
    """Section vectors of every example of a plan, read once."""

    def __init__(self, shards: Sequence[Path], plan: CrossFit) -> None:
        self._places = {example.file_id: place for place, example in enumerate(plan.every_example)}
        self._vectors = read_vectors(shards, plan.every_example)

    def of(self, examples: Sequence[Example]) -> SectionVectors:
        """Those of some examples, in their order."""
        return self._vectors.take(np.array([self._places[example.file_id] for example in examples], dtype=np.int64))


def fit_heads(
    name: str, recipe: RecipeParams, l2: float, labeller: str | None, plan: CrossFit, vectors: ExampleVectors
) -> list[Head]:
    """The head of each fold."""
    return [fit_head(name, recipe, l2, labeller, vectors.of(examples), examples) for examples in plan.training]


def cross_fitted_scores(heads: Sequence[Head], plan: CrossFit, vectors: ExampleVectors) -> np.ndarray:
    """float64 score of each judged example, by the head of its fold."""
    scores = np.full(len(plan.judged), np.nan)
    for fold, head in enumerate(heads):
        places = plan.of_fold(fold)
        if len(places):
            own = vectors.of([plan.judged[place] for place in places])
            scores[places] = mean_by_file(head.score_sections(own.embeddings), own.starts)
    return scores

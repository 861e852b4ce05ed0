"""Chooses the files that an annotator is trained and judged on.

in: one row per file of data/embed_files (train split), labels  out: Example per file, sorted by file_id

Positives are screened files of data/fetch_positives or, as `educational`, corpus files with a label of min_label or more. Negatives are
random train files of the corpus, as in DCLM (random, not known to be bad), matched to the positives' languages: each language gives
negatives_per_positive negatives per positive of that language. Files are ranked within their language, so that a head has to separate good
Python from ordinary Python; against negatives of all languages it could score well by separating Python from CSS, which ranks nothing.
Seen in a trial (630 Python positives, 170 negatives, held-out repositories, mean of four splits):
  negatives             AUC positives / other Python   AUC ordinary Python / other languages (0.5: language says nothing)
  matched                          0.977                              0.34
  half other languages             0.974                              0.79
  other languages only             0.951                              0.99

The head of a fold is fitted on what the same rules choose of the other folds alone (see folds): not even the number of negatives depends
on a label of the fold's own files.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import Field

from snowcoder.annotator.folds import Folds
from snowcoder.annotator.head import Kind
from snowcoder.embedding.embedding_table import CORPUS
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.params import ParamsModel
from snowcoder.seeding import unit_hash
from snowcoder.words import TRAIN

EDUCATIONAL = "educational"


class TuningParams(ParamsModel):
    """Optimiser and stopping; unused while train_annotator.shared.encoder is `frozen`. Defaults as Devlin et al. 2019 tune BERT."""

    epochs: int = Field(ge=1)
    """Passes over the training examples, at most."""
    patience_epochs: int | None = Field(ge=1)
    """Epochs without a lower validation loss after which tuning stops and the best epoch is kept; null: all epochs, the last is kept."""
    validation_fraction: float = Field(gt=0, lt=1)
    """Share of a fold's training files, in whole repositories, that chooses the epoch and calibrates a classification."""
    batch_files: int = Field(ge=1)
    """Files of one optimiser step, with all their sections."""
    batch_tokens: int = Field(ge=1)
    """Padded tokens in one forward and backward pass, at most; the optimiser does not depend on it."""
    learning_rate: float = Field(gt=0)
    """Peak of AdamW's rate: it rises linearly to the peak, then falls linearly to 0."""
    warmup_fraction: float = Field(ge=0, lt=1)
    """Share of the steps in which the rate rises."""
    weight_decay: float = Field(ge=0)
    """Decay on matrices, per unit of the rate."""
    max_gradient_norm: float = Field(gt=0)
    """Gradients of a larger norm are scaled down to this norm."""


class AnnotatorParams(ParamsModel):
    """What all recipes share."""

    encoder: Literal["frozen", "tuned"]
    """frozen: a head on the embeddings of embed_files, shared by all recipes; tuned: each recipe's examples change the encoder
    too, once for each fold, and score_files embeds the corpus once more for each recipe (expensive: up to 2 x `folds` trainings a recipe).
    """
    tuning: TuningParams
    """How a tuned encoder is trained."""
    seed: int = Field(ge=0)
    """Seed of the random negatives and of the folds."""
    folds: int = Field(ge=2)
    """Parts that the repositories are divided into: each is scored, and each judged, by a head that was fitted on the other parts."""
    negatives_per_positive: float = Field(gt=0)
    """Random corpus files per positive, in each language."""
    l2: float = Field(gt=0)
    """Weight of the squared norm of the weights against the loss summed over files; more shrinks the weights."""


class RecipeParams(ParamsModel):
    """One recipe of the paper's Table 4."""

    kind: Kind
    """classification: positives against random files; regression: on the labels of label_files (paper: EDU)."""
    positives: list[Literal["high_quality", "instruction", "educational"]] = Field(max_length=3)
    """Sources of the positives; empty for a regression."""
    min_label: float = Field(ge=0, le=5)
    """Label (0 to 5) from which a file is educational: a positive, and the threshold of a regression's ROC."""


@dataclass(frozen=True, slots=True)
class Example:
    """One file. target: the label (regression), or 1.0 and 0.0. kind: a source of positives, or `negative`."""

    file_id: str
    repository: str
    language: str
    n_bytes: int
    kind: str
    target: float
    is_positive: bool


def choose_examples(
    files: Iterable[Mapping[str, Any]], labels: Mapping[str, float], shared: AnnotatorParams, recipe: RecipeParams
) -> list[Example]:
    """Examples of one recipe. `files`: rows with file_id, source, repository, language, split, n_bytes; labels: file_id -> label.

    Raises EmptyResultError without a positive, or without a negative.
    """
    rows = sorted(files, key=lambda row: row["file_id"])
    assert all(row["split"] == TRAIN for row in rows), "an annotator may only see the train split"
    examples = _choose(rows, labels, shared, recipe)
    _check(examples)
    return examples


def choose_training(
    files: Iterable[Mapping[str, Any]], labels: Mapping[str, float], shared: AnnotatorParams, recipe: RecipeParams, folds: Folds, fold: int
) -> list[Example]:
    """What choose_examples gives where the files of the repositories in `fold` do not exist.

    Raises EmptyResultError without a positive, or without a negative, outside of the fold.
    """
    rows = sorted(files, key=lambda row: row["file_id"])
    others = [row for row in rows if folds.by_repository.get(row["repository"]) != fold]
    examples = _choose(others, labels, shared, recipe)
    _check(examples, f" outside of fold {fold} of {folds.n}")
    return examples


def choose_validation(examples: Sequence[Example], shared: AnnotatorParams) -> list[bool]:
    """Which training examples validate a tuned encoder: whole repositories, drawn in the order of a hash, those with positives and those
    without apart, as long as they do not exceed validation_fraction of the files; at least one of each.

    Raises EmptyResultError if the examples do not hold two repositories with positives and two with negatives.
    """
    with_positives = {example.repository for example in examples if example.is_positive}
    drawn = set()
    for contains_positives in (True, False):
        counted = [
            example.repository
            for example in examples
            if (example.repository in with_positives) == contains_positives and example.is_positive == contains_positives
        ]
        order = partial(unit_hash, shared.seed, "validation")
        drawn |= _draw(Counter(counted), shared.tuning.validation_fraction, order)
    chosen = [example.repository in drawn for example in examples]
    _check([example for example, is_chosen in zip(examples, chosen, strict=True) if is_chosen], " to validate on")
    _check([example for example, is_chosen in zip(examples, chosen, strict=True) if not is_chosen], " to tune on")
    return chosen


def _choose(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, float], shared: AnnotatorParams, recipe: RecipeParams) -> list[Example]:
    """Sorted by file_id, as `rows` are."""
    if recipe.kind == "regression":
        labelled = [row for row in rows if row["source"] == CORPUS and row["file_id"] in labels]
        pairs = [(row, labels[row["file_id"]]) for row in labelled]
        kinds = {True: EDUCATIONAL, False: "negative"}
        return [_example(row, kinds[label >= recipe.min_label], label, label >= recipe.min_label) for row, label in pairs]
    positives = [example for row in rows if (example := _positive(row, labels, recipe)) is not None]
    return sorted(positives + _negatives(rows, positives, shared), key=lambda example: example.file_id)


def _positive(row: Mapping[str, Any], labels: Mapping[str, float], recipe: RecipeParams) -> Example | None:
    is_educational = row["source"] == CORPUS and labels.get(row["file_id"], -1.0) >= recipe.min_label
    kind = EDUCATIONAL if is_educational else row["source"]
    return _example(row, kind, 1.0, True) if kind in recipe.positives else None


def _negatives(rows: Sequence[Mapping[str, Any]], positives: Sequence[Example], shared: AnnotatorParams) -> list[Example]:
    taken = {example.file_id for example in positives}
    negatives = []
    for language, n_positives in sorted(Counter(example.language for example in positives).items()):
        candidates = [row for row in rows if row["source"] == CORPUS and row["language"] == language and row["file_id"] not in taken]
        candidates.sort(key=lambda row: unit_hash(shared.seed, "negative", row["file_id"]))
        n_negatives = round(shared.negatives_per_positive * n_positives)
        negatives += [_example(row, "negative", 0.0, False) for row in candidates[:n_negatives]]
    return negatives


def _example(row: Mapping[str, Any], kind: str, target: float, is_positive: bool) -> Example:
    return Example(row["file_id"], row["repository"], row["language"], row["n_bytes"], kind, target, is_positive)


def _draw(files_by_repository: Mapping[str, int], fraction: float, order: Callable[[str], float]) -> set[str]:
    room = fraction * sum(files_by_repository.values())
    drawn: set[str] = set()
    for repository in sorted(files_by_repository, key=order):
        if files_by_repository[repository] <= room:
            drawn.add(repository)
            room -= files_by_repository[repository]
    # nothing fits: the smallest repository, unless it is the only one
    if not drawn and len(files_by_repository) > 1:
        drawn.add(min(files_by_repository, key=lambda repository: (files_by_repository[repository], order(repository))))
    return drawn


def _check(examples: Sequence[Example], where: str = "") -> None:
    n_positive = sum(example.is_positive for example in examples)
    if not n_positive or n_positive == len(examples):
        raise EmptyResultError(
            f"train_annotator: found {n_positive} positives and {len(examples) - n_positive} negatives{where}; allowed: at least one "
            "of each, in two repositories of each kind; widen the positives or the labelled sample, or lower min_label"
        )

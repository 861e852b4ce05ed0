"""Assigns repositories to folds: a file is scored by the head of its repository's fold, which was fitted on the other folds.

in: rows of embedding_table, one per file  out: Folds, kept in folds.json {"folds": how many, "repositories": {repository: fold}}

A head ranks the files that it was fitted on by what it was told of them: a negative comes out low, a positive high. On a corpus of which
most files are examples that decides the choice (seen: ROC-AUC 0.98 on a head's own files, 0.79 on other repositories). Cross-fitting (Stone
1974; Chernozhukov et al. 2018) keeps every file out of the fit of the head that scores it, and its repository's other files with it, as
they share authors, names and licence header. Repositories of one owner or namespace are together too (repository_families), unless there
are fewer of those than folds.

Repositories of the train split, held-out ones, and those that only have positives are assigned apart, each in the order of a hash of their
names, to the fold that has the fewest files of their group so far. So each fold gets repositories of each group, where there are as many,
and about as many files. Neither a label nor an embedding decides a fold.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.embedding.embedding_table import CORPUS
from snowcoder.errors import CheckpointError
from snowcoder.seeding import unit_hash
from snowcoder.source_files.repository_families import repository_family
from snowcoder.storage.files import write_json
from snowcoder.words import TRAIN

FOLDS_FILE = "folds.json"


@dataclass(frozen=True)
class Folds:
    """n: how many; by_repository: fold, from 0."""

    n: int
    by_repository: Mapping[str, int]

    def of(self, repositories: Sequence[str]) -> np.ndarray:
        """int64 fold of each repository. Raises CheckpointError for one that has none."""
        unknown = sorted({name for name in repositories if name not in self.by_repository})
        if unknown:
            raise CheckpointError(
                f"models/train_annotator: {FOLDS_FILE}: found no repository {unknown[0]} (and {len(unknown) - 1} more); allowed: every "
                "repository of data/embed_files; run `dvc repro` for train_annotator"
            )
        return np.array([self.by_repository[name] for name in repositories], dtype=np.int64)


def assign_folds(files: Iterable[Mapping[str, Any]], n_folds: int, seed: int) -> Folds:
    """Folds of every repository of the corpus, the same for all recipes. `files`: rows with source, repository, split."""
    train, held_out = Counter[str](), Counter[str]()
    for row in files:
        if row["source"] == CORPUS:
            (train if row["split"] == TRAIN else held_out)[row["repository"]] += 1
    return Folds(n_folds, _assign(train, n_folds, seed) | _assign(held_out, n_folds, seed))


def judging_folds(folds: Folds, files: Iterable[Mapping[str, Any]], positives: Collection[str], seed: int) -> Folds:
    """Folds of every repository of the corpus, as `folds` has them, and of those that only have positives.

    positives: the recipe's sources of positives."""
    of_positives = Counter(row["repository"] for row in files if row["source"] != CORPUS and row["source"] in positives)
    others = {repository: n_files for repository, n_files in of_positives.items() if repository not in folds.by_repository}
    taken = {repository_family(repository): fold for repository, fold in folds.by_repository.items()}
    return Folds(folds.n, {**folds.by_repository, **_assign(others, folds.n, seed, taken)})


def _assign(n_files: Mapping[str, int], n_folds: int, seed: int, taken: Mapping[str, int] | None = None) -> dict[str, int]:
    """Repository -> fold; those of one family are together, unless there are fewer families than folds. taken: family -> its fold."""
    families = {repository: repository_family(repository) for repository in n_files}
    if len(set(families.values())) < min(n_folds, len(n_files)):
        families = {repository: repository for repository in n_files}
    sizes = Counter[str]()
    for repository, family in families.items():
        sizes[family] += n_files[repository]
    fold_of = {family: fold for family, fold in (taken or {}).items() if family in sizes}
    filled = [0] * n_folds
    for family in sorted(sizes.keys() - fold_of.keys(), key=lambda name: (unit_hash(seed, "fold", name), name)):
        fold_of[family] = filled.index(min(filled))
        filled[fold_of[family]] += sizes[family]
    return {repository: fold_of[family] for repository, family in families.items()}


def fold_folder(model: Path, fold: int) -> Path:
    """Where the annotator in `model` keeps what belongs to one fold: head.json, and a tuned encoder."""
    return model / f"fold_{fold}"


def fold_folders(model: Path) -> list[Path]:
    """Those of all folds."""
    return [fold_folder(model, fold) for fold in range(read_folds(model).n)]


def write_folds(model: Path, folds: Folds) -> None:
    """Write folds.json into `model`."""
    write_json(model / FOLDS_FILE, {"folds": folds.n, "repositories": dict(folds.by_repository)})


def read_folds(model: Path) -> Folds:
    """The folds of the annotator in `model`. Raises CheckpointError if folds.json is missing or broken."""
    path = model / FOLDS_FILE
    try:
        content = json.loads(path.read_text())
        return Folds(content["folds"], content["repositories"])
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read as folds ({error}); run `dvc repro` for train_annotator") from error

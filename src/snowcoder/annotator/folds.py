"""Assigns repositories to folds: a file is scored by the head of its repository's fold, which was fitted on the other folds.

in: rows of embedding_table, one per file  out: Folds, kept in folds.json {"folds": how many, "repositories": {repository: fold}}

A head ranks the files that it was fitted on by what it was told of them: a negative comes out low, a positive high. On a corpus of which
most files are examples that decides the choice (seen: ROC-AUC 0.98 on a head's own files, 0.82 on other repositories). Cross-fitting (Stone
1974; Chernozhukov et al. 2018) keeps every file out of the fit of the head that scores it, and its repository's other files with it, as
they share authors, names and licence header. Two repositories of one author may be in different folds: nothing here knows authors.

The repositories with positives, the others of the train split, and the held-out ones are assigned apart, each in the order of a hash of
their names, to the fold that has the fewest files of their group so far. So each fold gets repositories of each group, where there are as
many, and about as many files. Neither a label nor an embedding decides a fold: `educational` positives, which labels make, count as
corpus files here.
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
from snowcoder.storage.files import write_json
from snowcoder.words import TRAIN

FOLDS_FILE = "folds.json"
WITH_POSITIVES = "with positives"


@dataclass(frozen=True)
class Folds:
    """n: how many; by_repository: from 0, of every repository of data/embed_files that has files of the corpus or of the recipe."""

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


def assign_folds(files: Iterable[Mapping[str, Any]], positives: Collection[str], n_folds: int, seed: int) -> Folds:
    """Folds of all repositories. `files`: rows with source, repository, split; positives: the recipe's sources of positives."""
    sizes: Counter[str] = Counter()
    groups: dict[str, str] = {}
    for row in files:
        if row["source"] != CORPUS and row["source"] not in positives:
            continue
        group, repository = (row["split"] if row["source"] == CORPUS else WITH_POSITIVES), row["repository"]
        sizes[repository] += 1
        # a repository may have positives beside files of the corpus; the train split goes before the held-out one
        groups[repository] = min(groups.get(repository, group), group, key=_precedence)
    assigned: dict[str, int] = {}
    total = [0] * n_folds
    for group in sorted(set(groups.values()), key=_precedence):
        of_group = [0] * n_folds
        members = [repository for repository, found in groups.items() if found == group]
        for repository in sorted(members, key=lambda name: (unit_hash(seed, "fold", name), name)):
            fold = min(range(n_folds), key=lambda fold: (of_group[fold], total[fold], fold))
            assigned[repository] = fold
            of_group[fold] += sizes[repository]
            total[fold] += sizes[repository]
    return Folds(n_folds, dict(sorted(assigned.items())))


def _precedence(group: str) -> int:
    return 0 if group == WITH_POSITIVES else 1 if group == TRAIN else 2


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

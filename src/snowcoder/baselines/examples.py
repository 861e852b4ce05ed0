"""Chooses what dsir and hashed_ngrams learn from, so that no file is scored by a model that saw its repository.

in: rows of data/embed_files, one per file   out: Examples: positives and ordinary files, with the fold that must not see each

The pool is the train files of the corpus that were embedded. Positives are all files of data/fetch_positives. Ordinary files are random
files of the pool in the positives' languages, in their proportions, so that no language is learned. The pool's families of
repositories are divided into folds, in turns, in the order of a hash of their names; a fold's files are scored with what the ordinary
files of the other folds, and the positives of other repositories, gave. A hash decides about each ordinary file by itself, so that not
even their choice depends on the text of another file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.embedding.embedding_table import CORPUS
from snowcoder.errors import EmptyResultError
from snowcoder.seeding import unit_hash
from snowcoder.source_files.repository_families import repository_family

NO_FOLD = -1  # of a repository that the pool does not have


@dataclass(frozen=True)
class Examples:
    """Sorted by file_id. is_positive: bool [n]. folds: int64 [n], the fold whose models must not see it."""

    file_ids: list[str]
    is_positive: np.ndarray
    folds: np.ndarray


def assign_folds(repositories: Sequence[str], n_folds: int, seed: int) -> dict[str, int]:
    """{repository: fold}, families (repository_family) whole: as many in each fold as in any other, or one fewer.

    Where there are fewer families than folds, repositories take their place.
    """
    families = {name: repository_family(name) for name in repositories}
    if len(set(families.values())) < min(n_folds, len(families)):
        families = {name: name for name in families}
    ordered = sorted(set(families.values()), key=lambda name: (unit_hash(seed, "fold", name), name))
    fold_of = {name: place % n_folds for place, name in enumerate(ordered)}
    return {name: fold_of[family] for name, family in families.items()}


def choose_examples(files: pa.Table, folds: Mapping[str, int], n_ordinary: int, seed: int) -> Examples:
    """files: pool and positives, with file_id, source, repository, language, content_sha256. Raises EmptyResultError without both."""
    is_corpus = pc.equal(files["source"], CORPUS)
    positives, pool = files.filter(pc.invert(is_corpus)), files.filter(is_corpus)
    ordinary = _choose_ordinary(pool, Counter(positives["language"].to_pylist()), n_ordinary, seed)
    chosen = pa.concat_tables([positives, ordinary]).sort_by("file_id")
    of_file = np.array([folds.get(name, NO_FOLD) for name in chosen["repository"].to_pylist()], dtype=np.int64)
    examples = Examples(chosen["file_id"].to_pylist(), pc.not_equal(chosen["source"], CORPUS).to_numpy(), of_file)
    for fold in sorted(set(folds.values())):
        kinds = examples.is_positive[of_file != fold]
        if kinds.all() or not kinds.any():
            raise EmptyResultError(
                f"score_baselines: found {int(kinds.sum())} positives and {int((~kinds).sum())} ordinary files in their languages outside "
                f"of fold {fold}; allowed: one of each, from repositories of two folds; widen fetch_positives or the corpus"
            )
    return examples


def _choose_ordinary(pool: pa.Table, languages: Mapping[str, int], n_files: int, seed: int) -> pa.Table:
    """About n_files random files of the pool, in the proportions of `languages` (fewer of a language that has not so many)."""
    available = Counter(pool["language"].to_pylist())
    fractions = {name: n_files * languages[name] / sum(languages.values()) / available[name] for name in available if languages.get(name)}
    rows = zip(pool["language"].to_pylist(), pool["content_sha256"].to_pylist(), strict=True)
    return pool.filter(pa.array([unit_hash(seed, "ordinary", digest) < fractions.get(name, 0.0) for name, digest in rows], pa.bool_()))

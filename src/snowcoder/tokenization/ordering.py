"""Orders files in the packed stream (paper, section 2.2 and table 3).

in: catalogue rows, each with the number of its pass  out: the permutation that orders them
language_then_repository (adopted): languages in alphabetical order; in a language, repositories in random order; in a repository, files
in random order. repository (the paper's ablation): repositories in random order, with files of all their languages mixed.
Hashes of the seed, the pass and the names decide random orders, never positions, so that neither the order nor the sharding of
the input matters, and another file leaves the order of the others unchanged. A further pass is a further run over the repositories of its
language, in another order.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from snowcoder.seeding import derive_seed

GroupBy = Literal["language_then_repository", "repository"]
Document = Literal["file", "repository"]


def packing_order(files: pa.Table, pass_numbers: np.ndarray, group_by: GroupBy, seed: int) -> np.ndarray:
    """int64 [rows]: positions of `files` (CATALOGUE_SCHEMA) in packing order; pass_numbers: int64 [rows], each row's pass, from 0."""
    keys = [file_keys(files, pass_numbers, seed), repository_keys(files, pass_numbers, seed), pass_numbers]
    if group_by == "language_then_repository":  # passes are kept apart within a language; languages never are
        keys.append(language_ranks(files))
    # lexsort: the last key decides first
    return np.lexsort(keys)


def document_ends(files: pa.Table, pass_numbers: np.ndarray, group_by: GroupBy) -> np.ndarray:
    """bool [rows]: whether a row, in packing order, is the last of its document, where a repository is one (paper, section 2.2).

    A document is the files of one repository in one pass that follow one another: of one language too, if languages are kept apart.
    """
    keys = [pass_numbers, _codes(files, "repository")]
    if group_by == "language_then_repository":
        keys.append(_codes(files, "language"))
    ends = np.ones(len(files), dtype=bool)
    ends[:-1] = np.any([key[:-1] != key[1:] for key in keys], axis=0)
    return ends


def file_keys(files: pa.Table, pass_numbers: np.ndarray, seed: int) -> np.ndarray:
    """int64 [rows]: a random number per file and pass."""
    names = zip(files["file_id"].to_pylist(), pass_numbers.tolist(), strict=True)
    return np.array([derive_seed(seed, "file", number, file_id) for file_id, number in names], dtype=np.int64)


def repository_keys(files: pa.Table, pass_numbers: np.ndarray, seed: int) -> np.ndarray:
    """int64 [rows]: a random number per repository and pass."""
    names = list(zip(files["repository"].to_pylist(), pass_numbers.tolist(), strict=True))
    keys = {name: derive_seed(seed, "repository", name[1], name[0]) for name in set(names)}
    return np.array([keys[name] for name in names], dtype=np.int64)


def language_ranks(files: pa.Table) -> np.ndarray:
    """int64 [rows]: position of the row's language among the sorted languages."""
    languages: Sequence[str] = files["language"].to_pylist()
    ranks = {language: rank for rank, language in enumerate(sorted(set(languages)))}
    return np.array([ranks[language] for language in languages], dtype=np.int64)


def _codes(files: pa.Table, column: str) -> np.ndarray:
    """int [rows]: the same number for the same name."""
    return np.asarray(files[column].combine_chunks().dictionary_encode().indices)

"""Reads what the branches of an experiment need on every text, and sums it up: bits per byte of each branch on each set.

in: data/train_branches, rows of BRANCH_SCHEMA, one per branch and text
out: SetBits by branch and set. The parent that all branches start from is the branch PARENT.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from snowcoder.errors import ShardError
from snowcoder.experiment.branch_rows import BRANCH_SCHEMA
from snowcoder.experiment.branches import PARENT, Branch
from snowcoder.storage.shards import read_table

BRANCH_TABLE = Path("data/train_branches")
NUMBERS = ("n_bytes", "bits", "bigram_bits", "trigram_bits")
Predictor = Literal["model", "bigram", "trigram"]


class SetBits(NamedTuple):
    """What a branch needs for the texts of one set, in their order. n_bytes, bits, bigram_bits, trigram_bits: [texts]."""

    clusters: tuple[str, ...]
    n_bytes: np.ndarray
    bits: np.ndarray
    bigram_bits: np.ndarray
    trigram_bits: np.ndarray

    def bits_per_byte(self, predictor: Predictor = "model") -> float:
        """All bits over all bytes of the set."""
        bits = {"model": self.bits, "bigram": self.bigram_bits, "trigram": self.trigram_bits}[predictor]
        return float(bits.sum() / self.n_bytes.sum())


BranchBits = Mapping[Branch, Mapping[str, SetBits]]  # branch -> set -> its texts


def read_branches(folder: Path = BRANCH_TABLE) -> BranchBits:
    """Every branch of the table, sorted. Raises ShardError if there is no parent, or if two branches were measured on other texts."""
    return group_branches(read_table(folder, BRANCH_SCHEMA.names).to_pylist(), folder)


def group_branches(rows: Iterable[Mapping[str, Any]], folder: Path = BRANCH_TABLE) -> BranchBits:
    """The rows of the table by branch and set, in any order of rows."""
    ordered = sorted(rows, key=lambda row: (row["arm"], row["draw"], row["learning_rate"], row["set"], row["item"]))
    found: dict[Branch, dict[str, SetBits]] = {}
    for (arm, draw, rate, name), texts in groupby(ordered, lambda row: (row["arm"], row["draw"], row["learning_rate"], row["set"])):
        found.setdefault(Branch(arm, draw, rate), {})[name] = _set_bits(list(texts))
    if PARENT not in found:
        raise ShardError(f"{folder}: no rows of {PARENT.arm}, the parent of all branches; run `dvc repro train_branches`")
    for branch, sets in found.items():
        if not _same_texts(sets, found[PARENT]):
            raise ShardError(f"{folder}: {branch.name} was measured on other texts than {PARENT.arm}; run `dvc repro train_branches`")
    return found


def mean_bits_per_byte(sets: Mapping[str, SetBits], names: Iterable[str], less: Predictor | None = None) -> float:
    """Mean over sets of a branch's bits per byte, each set weighing the same; `less` those of the n-gram model."""
    values = [sets[name].bits_per_byte() - (sets[name].bits_per_byte(less) if less else 0.0) for name in names]
    return sum(values) / len(values)


def _set_bits(texts: list[Mapping[str, Any]]) -> SetBits:
    numbers = {name: np.array([text[name] for text in texts], dtype=np.float64) for name in NUMBERS}
    return SetBits(tuple(text["cluster"] for text in texts), **numbers)


def _same_texts(sets: Mapping[str, SetBits], others: Mapping[str, SetBits]) -> bool:
    return sets.keys() == others.keys() and all(
        one.clusters == others[name].clusters and np.array_equal(one.n_bytes, others[name].n_bytes) for name, one in sets.items()
    )

"""Folds: every repository in one, balanced, the same for any order of rows; kept in a file."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.annotator.folds import Folds, assign_folds, fold_folder, fold_folders, judging_folds, read_folds, write_folds
from snowcoder.errors import CheckpointError

# files of each repository by source and split
SIZES = st.dictionaries(st.integers(0, 30), st.integers(1, 9), max_size=20)


def rows_of(name: str, source: str, split: str, sizes: dict[int, int]) -> list[dict[str, Any]]:
    return [{"source": source, "split": split, "repository": f"{name}{number}"} for number, size in sizes.items() for _ in range(size)]


@given(SIZES, SIZES, SIZES, st.integers(2, 6), st.integers(0, 5), st.randoms(use_true_random=False))
def test_folds_partition_the_repositories_in_balance(
    train: dict[int, int], held_out: dict[int, int], positives: dict[int, int], n_folds: int, seed: int, shuffler: random.Random
) -> None:
    groups = {"train": train, "held": held_out, "positive": positives}
    rows = rows_of("train", "corpus", "train", train) + rows_of("held", "corpus", "held_out", held_out)
    rows += rows_of("positive", "high_quality", "train", positives) + rows_of("other", "instruction", "train", positives)
    folds = assign_folds(rows, n_folds, seed)
    both = judging_folds(folds, rows, ["high_quality"], seed)
    assert set(folds.by_repository) == {row["repository"] for row in rows if row["source"] == "corpus"}
    assert set(both.by_repository) == {row["repository"] for row in rows if row["source"] != "instruction"}
    assert all(both.by_repository[name] == fold for name, fold in folds.by_repository.items())
    for group, sizes in groups.items():
        n_files = Counter(dict.fromkeys(range(n_folds), 0))
        for number, size in sizes.items():
            n_files[both.by_repository[f"{group}{number}"]] += size
        assert n_files.keys() == set(range(n_folds))
        assert sum(size > 0 for size in n_files.values()) == min(n_folds, len(sizes)), "each fold has one where there are as many"
        assert max(n_files.values()) - min(n_files.values()) <= max(sizes.values(), default=0)
    shuffler.shuffle(rows)
    assert assign_folds(rows, n_folds, seed) == folds
    assert judging_folds(folds, rows, ["high_quality"], seed) == both


def test_positives_of_a_repository_of_the_corpus_are_in_its_fold() -> None:
    rows = rows_of("r", "corpus", "train", dict.fromkeys(range(6), 2)) + rows_of("r", "high_quality", "train", {0: 50, 7: 1})
    folds = assign_folds(rows, 3, seed=1)
    both = judging_folds(folds, rows, ["high_quality"], seed=1)
    assert both.by_repository == {**folds.by_repository, "r7": both.by_repository["r7"]}


@given(st.lists(st.from_regex(r"[a-f](-[a-z]{1,2})?", fullmatch=True), min_size=3, unique=True), st.integers(0, 20))
def test_repositories_of_a_family_are_in_one_fold_where_there_are_enough_families(names: list[str], seed: int) -> None:
    rows = [{"source": "corpus", "split": "train", "repository": name} for name in names]
    rows += [{"source": "high_quality", "split": "train", "repository": f"{name}-positives"} for name in names]
    folds = judging_folds(assign_folds(rows, 3, seed), rows, ["high_quality"], seed).by_repository
    of_family: dict[str, set[int]] = {}
    for name, fold in folds.items():
        of_family.setdefault(name[0], set()).add(fold)
    n_families = len({name[0] for name in names})
    assert set(folds.values()) == {0, 1, 2} if n_families >= 3 else len(set(folds.values())) > 1
    if n_families >= 3:
        assert all(len(found) == 1 for found in of_family.values())


def test_another_seed_gives_other_folds() -> None:
    rows = rows_of("r", "corpus", "train", dict.fromkeys(range(20), 3))
    assert len({tuple(sorted(assign_folds(rows, 4, seed).by_repository.items())) for seed in range(5)}) == 5


def test_folds_survive_their_file(tmp_path: Path) -> None:
    folds = Folds(3, {"a": 0, "b": 2})
    write_folds(tmp_path, folds)
    assert read_folds(tmp_path) == folds
    assert folds.of(["b", "a", "b"]).tolist() == [2, 0, 2]
    assert fold_folders(tmp_path) == [fold_folder(tmp_path, fold) for fold in range(3)]
    with pytest.raises(CheckpointError, match=r"found no repository c \(and 1 more\); allowed: every repository of data/embed_files"):
        folds.of(["a", "c", "d"])
    (tmp_path / "folds.json").write_text("[]")
    with pytest.raises(CheckpointError, match=r"folds\.json: cannot be read as folds"):
        read_folds(tmp_path)

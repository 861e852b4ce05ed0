"""Fits a classification and a regression on seeded random vectors and prints their heads; tests/annotator/test_head_fitting.py runs it
once for each kind of processor that OpenBLAS has kernels for."""

import json
from dataclasses import asdict

import numpy as np

from snowcoder.annotator.examples import Example, RecipeParams
from snowcoder.annotator.head_fitting import fit_head
from snowcoder.embedding.embedding_table import SectionVectors

N_FILES, DIMENSIONS = 300, 96


def main() -> None:
    random = np.random.default_rng(1)
    vectors = SectionVectors(random.normal(size=(2 * N_FILES, DIMENSIONS)), np.arange(0, 2 * N_FILES, 2))
    kinds = [RecipeParams(kind=kind, positives=["high_quality"], min_label=3.5) for kind in ("classification", "regression")]
    for recipe in kinds:
        targets = random.integers(0, 2, N_FILES) if recipe.kind == "classification" else random.normal(size=N_FILES)
        examples = [
            Example(
                file_id=f"{index:03d}",
                repository=str(index % 9),
                language="python",
                n_bytes=100,
                kind="negative",
                target=float(target),
                is_positive=target > 0,
            )
            for index, target in enumerate(targets)
        ]
        print(json.dumps(asdict(fit_head(recipe.kind, recipe, 0.3, None, vectors, examples))))


if __name__ == "__main__":
    main()

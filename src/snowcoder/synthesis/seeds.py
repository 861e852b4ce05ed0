"""Chooses seeds: the top-scored files of the train split, only Python for a teacher that reads nothing else.

in: data/score_files/<recipe> (file_id, language, split, score)   out: {file_id: score}
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from snowcoder.errors import EmptyResultError

SEED_COLUMNS = ("file_id", "language", "split", "score")
LANGUAGE = "python"


def choose_seeds(scored: Iterable[dict[str, Any]], top_fraction: float) -> dict[str, float]:
    """The best `top_fraction` (rounded up) of the Python train files, by score, then by file_id; best first.

    Raises EmptyResultError if there is none.
    """
    files = [row for row in scored if row["split"] == "train" and row["language"] == LANGUAGE]
    if not files:
        raise EmptyResultError("synthesize_documents: score_files has no Python file of the train split; widen the corpus")
    ranked = sorted(files, key=lambda row: (-row["score"], row["file_id"]))
    return {row["file_id"]: row["score"] for row in ranked[: math.ceil(top_fraction * len(ranked))]}


def choose_seeds_by_language(
    scored: Iterable[dict[str, Any]], top_fraction: float, python_fraction: float, train_bytes: Mapping[str, int]
) -> dict[str, float]:
    """The best `top_fraction` of the Python train files, and of the other languages as many more as leave Python `python_fraction` of all
    seeds; the others share theirs as they share the bytes of the train split; best first within a language.

    train_bytes: language -> bytes. Answers are taken to be of one length in every language; what their tokens prove to be is put right when
    they are packed (python_fraction of a variant). A language whose share is more files than it has gives all it has. Raises
    EmptyResultError without a Python file.
    """
    by_language: dict[str, list[dict[str, Any]]] = {}
    for row in scored:
        if row["split"] == "train":
            by_language.setdefault(row["language"], []).append(row)
    python = choose_seeds(by_language.get(LANGUAGE, []), top_fraction)
    others = {language: rows for language, rows in sorted(by_language.items()) if language != LANGUAGE}
    n_bytes = sum(train_bytes[language] for language in others)
    wanted = len(python) * (1 - python_fraction) / python_fraction
    chosen = dict(python)
    for language, rows in others.items():
        ranked = sorted(rows, key=lambda row: (-row["score"], row["file_id"]))
        chosen |= {row["file_id"]: row["score"] for row in ranked[: round(wanted * train_bytes[language] / n_bytes)]}
    return chosen

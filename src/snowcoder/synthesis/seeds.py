"""Seeds: the top-scored Python files of the train split.

in: data/score_files/<recipe> (file_id, language, split, score)   out: {file_id: score}
"""

import math
from collections.abc import Iterable
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
        raise EmptyResultError("synthesize_documents: score_files holds no Python file of the train split; widen the corpus")
    ranked = sorted(files, key=lambda row: (-row["score"], row["file_id"]))
    return {row["file_id"]: row["score"] for row in ranked[: math.ceil(top_fraction * len(ranked))]}

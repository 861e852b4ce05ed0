"""A trained annotator head: one linear function of a section's embedding.

classification: the log-odds of being a positive, calibrated. regression: the educational label, not clipped (see calibration). A file's
score is the mean of the scores of its sections (Arctic-SnowCoder, section 2.3); as the head is linear, that is also its value at the mean
embedding. Log-odds and not probabilities, because probabilities tie near 1 and their mean hides one bad section.

head.json: {"recipe", "kind", "labeller" (null where no labels are used), "bias", "weights": [D numbers]}
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from snowcoder.errors import CheckpointError
from snowcoder.storage.files import write_json

HEAD_FILE = "head.json"
Kind = Literal["classification", "regression"]


@dataclass(frozen=True)
class Head:
    """weights: as many numbers as an embedding has dimensions."""

    recipe: str
    kind: Kind
    labeller: str | None
    bias: float
    weights: list[float]

    def score_sections(self, embeddings: np.ndarray) -> np.ndarray:
        """float64 [sections] of float64 [sections, D]. Raises CheckpointError if the head is for another D."""
        if embeddings.shape[1] != len(self.weights):
            raise CheckpointError(
                f"models/train_annotator/{self.recipe}: {HEAD_FILE}: found {len(self.weights)} weights; allowed: {embeddings.shape[1]}, "
                "the dimensions of the embeddings; the encoder has changed: run `dvc repro`"
            )
        # a sum in NumPy's fixed order: BLAS would add in its own order, which depends on processor and threads
        return (embeddings * np.asarray(self.weights)).sum(axis=1) + self.bias


def mean_by_file(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mean of each run of `values` (or rows of values) that begins at one of `starts` (ascending, the first is 0)."""
    sizes = np.diff(np.append(starts, len(values)))
    return np.add.reduceat(values, starts, axis=0) / sizes.reshape(-1, *[1] * (values.ndim - 1))


def file_starts(file_ids: np.ndarray) -> np.ndarray:
    """Positions at which a new file begins in a column sorted by file."""
    return np.flatnonzero(np.append(True, file_ids[1:] != file_ids[:-1])) if len(file_ids) else np.zeros(0, dtype=np.int64)


def write_head(folder: Path, head: Head) -> None:
    """Write head.json into `folder`."""
    write_json(folder / HEAD_FILE, asdict(head))


def read_head(folder: Path) -> Head:
    """The head of `folder`. Raises CheckpointError if it is missing or not a head."""
    path = folder / HEAD_FILE
    try:
        return Head(**json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read as a head ({error}); run `dvc repro` for train_annotator") from error

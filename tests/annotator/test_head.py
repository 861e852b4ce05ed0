"""A head: linear scores, means by file, and its file format."""

from pathlib import Path

import numpy as np
import pytest

from snowcoder.annotator.head import Head, file_starts, mean_by_file, read_head, write_head
from snowcoder.errors import CheckpointError

HEAD = Head("HQ", "classification", None, bias=0.5, weights=[1.0, -2.0])


def test_scores_and_means_of_a_hand_computed_case() -> None:
    embeddings = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    scores = HEAD.score_sections(embeddings)
    assert scores.tolist() == [1.5, -1.5, -0.5]
    starts = file_starts(np.array(["a", "a", "b"]))
    assert starts.tolist() == [0, 2]
    assert mean_by_file(scores, starts).tolist() == [0.0, -0.5]
    assert mean_by_file(embeddings, starts).tolist() == [[0.5, 0.5], [1.0, 1.0]]
    # linear: the mean of scores is the score of the mean
    assert HEAD.score_sections(mean_by_file(embeddings, starts)).tolist() == [0.0, -0.5]


def test_head_survives_its_file(tmp_path: Path) -> None:
    write_head(tmp_path, HEAD)
    assert read_head(tmp_path) == HEAD


def test_wrong_dimensions_and_broken_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found 2 weights; allowed: 3"):
        HEAD.score_sections(np.zeros((1, 3)))
    (tmp_path / "head.json").write_text('{"weights": []}')
    with pytest.raises(CheckpointError, match=r"head\.json: cannot be read as a head"):
        read_head(tmp_path)

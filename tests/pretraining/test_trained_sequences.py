"""What is replayed is what the training loop reads, and a model's lineage ends at untrained weights."""

from pathlib import Path

import numpy as np
import pytest

from snowcoder.pretraining.loop import train
from snowcoder.pretraining.model import initialize
from snowcoder.pretraining.trained_sequences import lineage, trained_sequences
from snowcoder.pretraining.training_params import VariantParams
from snowcoder.tokenization.token_shards import ShardLayout, TokenShards
from tests.pretraining.test_loop import MODEL, PHASE, SHARED

LENGTH = 16


class RecordingShards(TokenShards):
    """Remembers which sequences it was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[int] = []

    def sequences(self, indices: np.ndarray) -> np.ndarray:  # type: ignore[override]
        self.asked += np.asarray(indices).tolist()
        return super().sequences(indices)


def pack(folder: Path, n_sequences: int) -> Path:
    """Sequences that differ, in shards of seven."""
    layout = ShardLayout(folder, LENGTH, n_sequences, 7)
    layout.allocate()
    layout.write_at(0, np.arange(n_sequences * LENGTH) % 300)
    layout.publish({})
    return folder


@pytest.mark.parametrize("n_sequences", [100, 30, 5])  # of the 48 that the phase asks for: each at most once, some twice, all often
def test_the_sequences_are_those_that_the_loop_reads(n_sequences: int, tmp_path: Path) -> None:
    packed = RecordingShards(pack(tmp_path / "packed", n_sequences))
    train(initialize(MODEL), packed, SHARED, PHASE, tmp_path / "state")
    read = sorted(set(packed.asked))
    assert len(read) == min(n_sequences, 48)
    np.testing.assert_array_equal(trained_sequences(packed, PHASE), TokenShards(packed.folder).sequences(read))


def test_a_lineage_begins_with_the_first_trained_model() -> None:
    parents = {"general": "models/initialize_model", "continued": "models/pretrain/general", "random": "models/pretrain/general"}
    parents["enhanced"] = "models/pretrain/continued"
    variants = {name: VariantParams(**PHASE.model_dump(), parent=parent, packs=None) for name, parent in parents.items()}
    assert lineage("general", variants) == ["general"]
    assert lineage("random", variants) == ["general", "random"]
    assert lineage("enhanced", variants) == ["general", "continued", "enhanced"]


def test_a_lineage_in_a_circle_ends() -> None:
    parents = {"a": "models/pretrain/b", "b": "models/pretrain/a"}
    variants = {name: VariantParams(**PHASE.model_dump(), parent=parent, packs=None) for name, parent in parents.items()}
    assert lineage("a", variants) == ["b", "a"]

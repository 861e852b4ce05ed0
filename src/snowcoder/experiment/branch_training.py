"""Trains branches one after the other in one process, each from the parent's weights.

in: the parent's folder, packed tokens, a phase   out: the trained weights

One model is trained again and again, so that start-up, and compilation where pretrain.shared.compile is on, are paid once. Weights are
reset and the optimizer is new: a branch does not depend on those before it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from snowcoder.errors import SnowcoderError
from snowcoder.pretraining.loop import train
from snowcoder.pretraining.model import load_llama
from snowcoder.pretraining.processes import launched_processes
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.loss_watch import LossWatch
from snowcoder.pretraining.watch.watcher import Watcher
from snowcoder.tokenization.token_shards import TokenShards


class BranchTrainer:
    """A model, and the weights that every branch starts from. Raises SnowcoderError in one of several processes of a launcher."""

    def __init__(self, parent: Path, shared: TrainingParams) -> None:
        if launched_processes() > 1:
            raise SnowcoderError(
                f"train_branches: found {launched_processes()} processes; allowed: one, on one device, as branches are small; "
                "start it without a launcher: `dvc repro train_branches`"
            )
        self._shared = shared
        self._model = load_llama(parent)
        self.parent_weights: Mapping[str, torch.Tensor] = {name: value.clone() for name, value in self._model.state_dict().items()}

    def train(self, packed: Path, phase: PhaseParams, state: Path, watchers: Sequence[Watcher] = ()) -> Mapping[str, torch.Tensor]:
        """The weights after `phase` on the tokens in `packed`; the next call changes them in place. Resumes in the folder `state`."""
        self._model.load_state_dict(self.parent_weights)
        train(self._model, TokenShards(packed), self._shared, phase, state, [LossWatch(packed / "provenance"), *watchers])
        return self._model.state_dict()

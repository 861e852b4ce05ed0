"""The interface of watchers: after each step the training loop shows a Step to every Watcher, which may report or stop the training.

No result depends on a watcher: the whole folder is left out of fingerprints.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch

# token ids, int64 [rows, tokens] -> mean loss in nats of the tokens but each row's first; every process of a launcher calls it alike
MeanLoss = Callable[[torch.Tensor], torch.Tensor]


class Step(NamedTuple):
    """One optimizer step of `n_steps`.

    number: from 1. batch_tokens: of all processes. train_loss: nats per token; gradient_norm: before clipping.
    elapsed_s: since the step before it ended, or since the loop began; input_wait_s: how much of it this process waited for its tokens.
    sequences: of the whole batch. objective: the model being trained, on `device`; it must be left as it is.
    """

    number: int
    n_steps: int
    batch_tokens: int
    learning_rate: float
    train_loss: float
    gradient_norm: float
    elapsed_s: float
    input_wait_s: float
    sequences: Sequence[int]
    objective: MeanLoss
    device: torch.device

    @property
    def tokens(self) -> int:
        """Trained on so far."""
        return self.number * self.batch_tokens


class Watcher(Protocol):
    """Whatever looks at a training."""

    def see(self, step: Step) -> None:
        """Called in every process after each step, in the order of the watchers."""

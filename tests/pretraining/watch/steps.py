"""Steps as the training loop shows them to a watcher."""

from collections.abc import Sequence

import torch

from snowcoder.pretraining.watch.watcher import Step


def make_step(
    number: int, loss: float = 3.0, norm: float = 1.0, sequences: Sequence[int] = (0,), n_steps: int = 1000, elapsed_s: float = 1.0
) -> Step:
    """A step of 100 tokens that waited for them for a tenth of its time, of a model whose loss is 1."""
    return Step(
        number, n_steps, 100, 1e-3, loss, norm, elapsed_s, elapsed_s / 10, sequences, lambda _: torch.tensor(1.0), torch.device("cpu")
    )

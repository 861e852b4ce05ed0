"""Watches the loss: stops a training at a value that is not finite, warns of an outlier, and names the files of the batch.

in: the steps of a training; the provenance table of the packed tokens   out: warnings, TrainingError
"""

import math
import statistics
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from snowcoder.errors import TrainingError
from snowcoder.pipeline.console import say
from snowcoder.pretraining.watch.watcher import Step
from snowcoder.tokenization.provenance import files_in

WINDOW_STEPS = 50
SPIKE_DEVIATIONS = 8.0  # of the median absolute deviation; normal noise stays below 6 in 50,000 steps
MIN_SPIKE_NATS = 0.5
SHOWN_FILES = 8


class LossWatch:
    """A Watcher. provenance: data/pack_tokens/<variant>/provenance, or None where the tokens come from no files (tests, measurements).

    Re-warm-up raises the loss on purpose, but slowly against the window, so that it is not reported as a spike.
    """

    def __init__(self, provenance: Path | None) -> None:
        self._provenance = provenance
        self._window: deque[float] = deque(maxlen=WINDOW_STEPS)

    def see(self, step: Step) -> None:
        """Raises TrainingError if loss or gradient norm is not finite: the weights are then spoiled."""
        loss, gradient_norm = step.train_loss, step.gradient_norm
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            raise TrainingError(
                f"pretrain: step {step.number}: loss {loss}, gradient norm {gradient_norm}; allowed: finite numbers. "
                f"{self._files(step.sequences)}Lower the peak learning rate or max_gradient_norm, or look at these files; "
                "the last checkpoint is from before this step"
            )
        if self._is_spike(loss):
            say(
                f"step {step.number}: loss {loss:.3f} stands out from the {WINDOW_STEPS} before it (median "
                f"{statistics.median(self._window):.3f}, gradient norm {gradient_norm:.2f}). {self._files(step.sequences)}"
            )
        self._window.append(loss)

    def _is_spike(self, loss: float) -> bool:
        if len(self._window) < WINDOW_STEPS:
            return False
        middle = statistics.median(self._window)
        deviation = statistics.median(abs(value - middle) for value in self._window)
        return loss - middle > max(MIN_SPIKE_NATS, SPIKE_DEVIATIONS * deviation)

    def _files(self, sequences: Sequence[int]) -> str:
        if self._provenance is None:
            return ""
        files = files_in(self._provenance, sequences)
        more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
        return f"Files of the batch: {', '.join(files[:SHOWN_FILES])}{more}. "

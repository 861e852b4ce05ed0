"""The pace of a training run: what was done since the last report, and a line a minute with the loss and the time that is left."""

import time

from snowcoder.pipeline.console import SECONDS_BETWEEN_LINES, say
from snowcoder.pretraining.watch.throughput import Interval


class Pace:
    """n_steps: of the whole phase; first_step: steps that an earlier process has done."""

    def __init__(self, n_steps: int, first_step: int) -> None:
        self._n_steps = n_steps
        self._first_step = first_step
        self._started_s = self._said_s = self._reported_s = time.monotonic()
        self._tokens, self._input_wait_s = 0, 0.0

    def step_done(self, tokens: int, input_wait_s: float) -> None:
        """One more step of so many tokens, which waited so long for them."""
        self._tokens += tokens
        self._input_wait_s += input_wait_s

    def interval(self) -> Interval:
        """What was done since the last call."""
        now_s = time.monotonic()
        found = Interval(self._tokens, now_s - self._reported_s, self._input_wait_s)
        self._reported_s, self._tokens, self._input_wait_s = now_s, 0, 0.0
        return found

    def tell(self, step: int, loss: float) -> None:
        """After `step` steps: a line, if it is time for one."""
        now_s = time.monotonic()
        if now_s - self._said_s >= SECONDS_BETWEEN_LINES:
            say(f"step {step}/{self._n_steps}: loss {loss:.3f}, {self.left(step, now_s)} left")
            self._said_s = now_s

    def left(self, step: int, now_s: float) -> str:
        """Time to the end at the pace of this process: `2 h 05 min`, `7 min`."""
        per_step_s = (now_s - self._started_s) / max(1, step - self._first_step)
        minutes = round(per_step_s * (self._n_steps - step) / 60)
        return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"

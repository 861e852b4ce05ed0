"""Reports the pace of a training: one line a minute with the step, the loss and the time left."""

from collections.abc import Callable

from snowcoder.pipeline.console import SECONDS_BETWEEN_LINES, say
from snowcoder.pretraining.watch.throughput import Interval
from snowcoder.pretraining.watch.watcher import Step

REPORT_EVERY_STEPS = 20


class Pace:
    """A Watcher. report: called after every REPORT_EVERY_STEPS-th step and the last one, with what was done since the last report."""

    def __init__(self, report: Callable[[Step, Interval], None]) -> None:
        self._report = report
        self._since = Interval(0, 0.0, 0.0)
        self._steps, self._elapsed_s, self._silent_s = 0, 0.0, 0.0

    def see(self, step: Step) -> None:
        """One more step."""
        tokens, elapsed_s, input_wait_s = self._since
        self._since = Interval(tokens + step.batch_tokens, elapsed_s + step.elapsed_s, input_wait_s + step.input_wait_s)
        if step.number % REPORT_EVERY_STEPS == 0 or step.number == step.n_steps:
            self._report(step, self._since)
            self._since = Interval(0, 0.0, 0.0)
        self._steps += 1
        self._elapsed_s += step.elapsed_s
        self._silent_s += step.elapsed_s
        if self._silent_s >= SECONDS_BETWEEN_LINES:
            left_s = self._elapsed_s / self._steps * (step.n_steps - step.number)
            say(f"step {step.number}/{step.n_steps}: loss {step.train_loss:.3f}, {duration(left_s)} left")
            self._silent_s = 0.0


def duration(seconds: float) -> str:
    """`2 h 05 min`, `7 min`."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"

"""Tells how far an experiment is: its plan before the first branch, the time it will take, a line for each branch.

in: the plan, the branches that are finished, the steps of the first training   out: lines; {"endpoint/<arm>": mean over draws}
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_rows import endpoint_bits_per_byte
from snowcoder.experiment.branches import PARENT, Branch
from snowcoder.pipeline.console import say
from snowcoder.pretraining.watch.pace import duration
from snowcoder.pretraining.watch.watcher import Step

# The first steps of a process are slow: memory is new, layers may be compiled
SKIPPED_STEPS, MEASURED_STEPS = 3, 8

Report = Callable[[Mapping[str, float], int], None]  # metrics, number of finished branches


class FirstSteps:
    """A Watcher of the first branch that a process trains: says how long training takes at the speed of its first steps."""

    def __init__(self, tokens_left: int) -> None:
        self._tokens_left = tokens_left
        self._elapsed_s: list[float] = []

    def see(self, step: Step) -> None:
        """One more step."""
        self._elapsed_s.append(step.elapsed_s)
        if len(self._elapsed_s) == SKIPPED_STEPS + MEASURED_STEPS:
            tokens_per_s = step.batch_tokens * MEASURED_STEPS / max(sum(self._elapsed_s[SKIPPED_STEPS:]), 1e-9)
            left = duration(self._tokens_left / tokens_per_s)
            say(f"train_branches: {tokens_per_s:,.0f} tokens/s in the first steps: {left} of training left, without measuring")


class BranchProgress:
    """What has been done of a plan, by this process and those before it. report: called after every branch."""

    def __init__(self, plan: Sequence[Branch], params: BranchesParams, report: Report) -> None:
        self._plan, self._params, self._report = plan, params, report
        self._endpoints: dict[Branch, float] = {}
        self._elapsed_s: list[float] = []

    def tell_plan(self, n_finished: int) -> None:
        """Before the first branch."""
        params, n = self._params, len(self._plan)
        say(
            f"train_branches: {n} branches of {params.tokens:,} tokens, {n * params.tokens:,} in all, from {params.parent}; "
            f"{n_finished} finished"
        )
        rates = ", ".join(f"{rate:g}" for rate in params.learning_rates)
        draws = ", ".join(f"{arm} {params.draws_of(arm, further_rate=False)}" for arm in params.arms)
        say(f"train_branches: learning rates {rates}; draws: {draws}, at a further rate {params.sensitivity_draws} at most")

    def take(self, branch: Branch, rows: pa.Table) -> None:
        """Note a finished branch; rows: its BRANCH_SCHEMA rows."""
        self._endpoints[branch] = endpoint_bits_per_byte(rows, self._params.endpoint)
        self._report(self._means(), self._n_finished)

    def tell(self, branch: Branch, elapsed_s: float) -> None:
        """A line for a branch that this process has finished in `elapsed_s`."""
        self._elapsed_s.append(elapsed_s)
        n_left = len(self._plan) - self._n_finished
        left = f"{duration(n_left * float(np.mean(self._elapsed_s)))} left" if n_left else "the last"
        sets = ", ".join(self._params.endpoint)
        say(
            f"branch {self._n_finished}/{len(self._plan)}: {branch.name}: {self._endpoints[branch]:.4f} bits per byte ({sets}), "
            f"{elapsed_s:.0f} s, {left}"
        )

    @property
    def _n_finished(self) -> int:
        return len(self._endpoints.keys() - {PARENT})

    def _means(self) -> dict[str, float]:
        """{"endpoint/<arm>": mean over its draws at the claims' learning rate so far}."""
        rates = (PARENT.learning_rate, self._params.learning_rates[0])
        by_arm: dict[str, list[float]] = {}
        for branch, value in self._endpoints.items():
            if branch.learning_rate in rates:
                by_arm.setdefault(branch.arm, []).append(value)
        return {f"endpoint/{arm}": float(np.mean(values)) for arm, values in by_arm.items()}

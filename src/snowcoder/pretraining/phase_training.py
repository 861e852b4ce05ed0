"""Trains one variant's phase: its parent model on its packed tokens, with watchers.

in:  the parent's folder, data/pack_tokens/<variant>
out: the trained model, its loss curve, {"train/…" and "validation/…": number} while it trains
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snowcoder.pretraining.loop import LossPoint, train
from snowcoder.pretraining.model import load_llama
from snowcoder.pretraining.processes import launched_processes
from snowcoder.pretraining.training_params import TrainingParams, VariantParams
from snowcoder.pretraining.watch.loss_watch import LossWatch
from snowcoder.pretraining.watch.pace import Pace
from snowcoder.pretraining.watch.throughput import Interval, device_name, flops_per_token, throughput_metrics
from snowcoder.pretraining.watch.validation import Report, open_validation
from snowcoder.pretraining.watch.watcher import Step, Watcher
from snowcoder.tokenization.token_shards import TokenShards

FINAL_STEPS = 20  # the reported final loss is a mean over these
HELD_OUT_FILES = Path("data/split_files")  # looked at while training, for the record alone: no result depends on them


class PhaseTraining:
    """A parent model, and the tokens it trains on; every process of a launcher has its own."""

    def __init__(self, shared: TrainingParams, variant: VariantParams, packed: Path) -> None:
        self.shared, self.variant, self.packed = shared, variant, packed
        self.data = TokenShards(packed)
        self.model = load_llama(Path(variant.parent))

    def train(self, state_folder: Path, report: Report) -> list[LossPoint]:
        """Train the model in place, resumable in `state_folder`; return its loss curve. report: called with metrics and their step."""
        shape, length = self.model.config, self.data.sequence_length
        per_token = flops_per_token(self.model.num_parameters(), shape.num_hidden_layers, shape.hidden_size, length)

        def log(step: Step, interval: Interval) -> None:
            named = {"loss": step.train_loss, "learning_rate": step.learning_rate, "gradient_norm": step.gradient_norm}
            named |= {"tokens": float(step.tokens)} | throughput_metrics(interval, per_token, device_name(), launched_processes())
            report({f"train/{name}": value for name, value in named.items()}, step.number)

        validation = open_validation(HELD_OUT_FILES, Path(self.variant.parent), length, self.variant.batch_tokens, report)
        watchers: list[Watcher] = [LossWatch(self.packed / "provenance"), validation, Pace(log)]
        return train(self.model, self.data, self.shared, self.variant, state_folder, watchers)


def write_loss_curve(path: Path, curve: Sequence[LossPoint]) -> None:
    """CSV of the fields of LossPoint."""
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([LossPoint._fields, *curve])


def describe_curve(curve: Sequence[LossPoint], packed_tokens: int) -> dict[str, Any]:
    """{steps, tokens, passes over the packed tokens, first_loss, final_loss}."""
    losses = [point.train_loss for point in curve]
    final = losses[-FINAL_STEPS:]
    counts = {"steps": len(curve), "tokens": curve[-1].tokens, "passes": curve[-1].tokens / packed_tokens}
    return counts | {"first_loss": losses[0], "final_loss": sum(final) / len(final)}

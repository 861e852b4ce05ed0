"""pretrain: one variant's phase, from its parent checkpoint over its packed tokens, with its schedule.

in: the parent model, data/pack_tokens/<variant>
out: models/pretrain/<variant> (Hugging Face folder with tokenizer; loss_curve.csv: rows of LossPoint),
     metrics/pretrain/<variant>.json
"""

import csv
from functools import partial
from pathlib import Path

from snowcoder.metrics import write_metrics
from snowcoder.params import load_item
from snowcoder.pretraining.loop import LossPoint, PhaseParams, TrainingParams, train
from snowcoder.pretraining.model import load_model, save_model
from snowcoder.pretraining.throughput import Interval, device_name, flops_per_token, throughput_metrics
from snowcoder.stage import StageRun, command_line, run_stage
from snowcoder.tokenization.token_shards import TokenShards
from snowcoder.tracking import track

FINAL_STEPS = 20  # the reported final loss is a mean over these


class VariantParams(PhaseParams):
    """A phase and the model folder it starts from (also the stage's dependency in dvc.yaml)."""

    parent: str


def build(shared: TrainingParams, variant: VariantParams, packed: Path, run: StageRun) -> None:
    """Train, then write model, curve and metrics."""
    data = TokenShards(packed)
    model = load_model(Path(variant.parent))
    shape = model.config
    per_token = flops_per_token(model.num_parameters(), shape.num_hidden_layers, shape.hidden_size, data.sequence_length)
    with track(run.stage, run.item, run.fingerprint) as record:

        def log(point: LossPoint, interval: Interval) -> None:
            named = {"loss": point.train_loss, "learning_rate": point.learning_rate, "gradient_norm": point.gradient_norm}
            named |= {"tokens": float(point.tokens)} | throughput_metrics(interval, per_token, device_name(), 1)
            record.log({f"train/{name}": value for name, value in named.items()}, step=point.step)

        phase = PhaseParams(**variant.model_dump(exclude={"parent"}))
        curve = train(model, data, shared, phase, run.state / "training", log, packed / "provenance")
    folder = run.out(f"models/pretrain/{run.item}")
    save_model(model, Path(variant.parent), folder)
    with (folder / "loss_curve.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([LossPoint._fields, *curve])
    losses = [point.train_loss for point in curve]
    metrics = {"steps": len(curve), "tokens": curve[-1].tokens, "passes": curve[-1].tokens / data.n_tokens}
    final = {"first_loss": losses[0], "final_loss": sum(losses[-FINAL_STEPS:]) / len(losses[-FINAL_STEPS:])}
    write_metrics(run.out(f"metrics/pretrain/{run.item}.json"), metrics | final)


def main(item: str) -> None:
    """Run the stage for one variant."""
    shared, variant = load_item("pretrain", item, TrainingParams, VariantParams)
    packed = Path(f"data/pack_tokens/{item}")
    outputs = [Path(f"models/pretrain/{item}"), Path(f"metrics/pretrain/{item}.json")]
    run_stage("pretrain", [shared, variant], [Path(variant.parent), packed], outputs, partial(build, shared, variant, packed), item)


if __name__ == "__main__":
    command_line(main)

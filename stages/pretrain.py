"""pretrain: one variant's phase, from its parent checkpoint over its packed tokens, with its schedule.

in: the parent model, data/pack_tokens/<variant>
out: models/pretrain/<variant> (Hugging Face folder with tokenizer; loss_curve.csv: rows of LossPoint),
     metrics/pretrain/<variant>.json
"""

import csv
from functools import partial
from pathlib import Path

from snowcoder.pipeline.params import load_item
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.pretraining.loop import LossPoint, train
from snowcoder.pretraining.model import load_model, save_model
from snowcoder.pretraining.processes import follow, launched_processes, lead, process_group
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams, VariantParams
from snowcoder.pretraining.watch.throughput import Interval, device_name, flops_per_token, throughput_metrics
from snowcoder.pretraining.watch.validation import Report, Validation, open_validation
from snowcoder.storage.metrics import write_metrics
from snowcoder.tokenization.token_shards import TokenShards
from snowcoder.tracking.record import track

FINAL_STEPS = 20  # the reported final loss is a mean over these
HELD_OUT_FILES = Path("data/split_files")  # looked at while training, for the record alone: no result depends on them


def build(shared: TrainingParams, variant: VariantParams, packed: Path, run: StageRun) -> None:
    """Train, then write model, curve and metrics."""
    data = TokenShards(packed)
    model = load_model(Path(variant.parent))
    shape = model.config
    per_token = flops_per_token(model.num_parameters(), shape.num_hidden_layers, shape.hidden_size, data.sequence_length)
    with track(run.stage, run.item, run.fingerprint, run.inputs) as record:

        def log(point: LossPoint, interval: Interval) -> None:
            named = {"loss": point.train_loss, "learning_rate": point.learning_rate, "gradient_norm": point.gradient_norm}
            named |= {"tokens": float(point.tokens)} | throughput_metrics(interval, per_token, device_name(), launched_processes())
            record.log({f"train/{name}": value for name, value in named.items()}, step=point.step)

        lead(run.state / "training")
        observe = validation(variant, data, record.log).see
        curve = train(model, data, shared, phase_of(variant), run.state / "training", log, packed / "provenance", observe)
        folder = run.out(f"models/pretrain/{run.item}")
        save_model(model, Path(variant.parent), folder)
        with (folder / "loss_curve.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([LossPoint._fields, *curve])
        record.log_model(folder, Path(f"models/pretrain/{run.item}"))
    losses = [point.train_loss for point in curve]
    metrics = {"steps": len(curve), "tokens": curve[-1].tokens, "passes": curve[-1].tokens / data.n_tokens}
    final = {"first_loss": losses[0], "final_loss": sum(losses[-FINAL_STEPS:]) / len(losses[-FINAL_STEPS:])}
    write_metrics(run.out(f"metrics/pretrain/{run.item}.json"), metrics | final)


def phase_of(variant: VariantParams) -> PhaseParams:
    """The phase without its parent."""
    return PhaseParams(**variant.model_dump(exclude={"parent"}))


def validation(variant: VariantParams, data: TokenShards, report: Report) -> Validation:
    """Bits per byte of held-out files while it trains; the same sample in every process."""
    return open_validation(HELD_OUT_FILES, Path(variant.parent), data.sequence_length, variant.batch_tokens, report)


def train_beside(shared: TrainingParams, variant: VariantParams, packed: Path, state_folder: Path) -> None:
    """A process other than 0: the same training, without records and results."""
    data = TokenShards(packed)
    train(
        load_model(Path(variant.parent)),
        data,
        shared,
        phase_of(variant),
        state_folder,
        log=lambda *_: None,
        provenance=packed / "provenance",
        observe=validation(variant, data, report=lambda *_: None).see,
    )


def main(item: str) -> None:
    """Run the stage for one variant."""
    shared, variant = load_item("pretrain", item, TrainingParams, VariantParams)
    packed = Path(f"data/pack_tokens/{item}")
    outputs = [Path(f"models/pretrain/{item}"), Path(f"metrics/pretrain/{item}.json")]
    with process_group() as is_first:
        if not is_first:
            follow(partial(train_beside, shared, variant, packed))
            return
        run_stage("pretrain", [shared, variant], [Path(variant.parent), packed], outputs, partial(build, shared, variant, packed), item)
        lead(None)


if __name__ == "__main__":
    command_line(main)

"""Predicts what a profile costs, stage by stage, before it runs: `make plan`, or

    python -m tools.plan [--profile paper] [--device this|a100|h100|h200|b200] [--devices N] [--mfu 0.377] [--shards N]
                         [--activation-checkpointing] [--corpus-tokens N] [--price 2.5]

--shards and --activation-checkpointing default to what SNOWCODER_SHARDING and SNOWCODER_ACTIVATION_CHECKPOINTING say a training would do.
--device this (the default) calibrates: some steps of the profile's own model, some batches of its encoder, some tokens of decoding here.
For another device, a published share of its peak is assumed; snowcoder.planning.speeds names the sources. --price is per device
and hour. The plan of the training stages is kept in the work folder and compared with their cost when they have run.
"""

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

from snowcoder.configuration.checking import check_params
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.errors import ParameterError
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.pipeline import environment
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.params import PARAMS_PATH, item_names, load_item, load_section, read_yaml
from snowcoder.pipeline.stage import run_tool, work_dir
from snowcoder.planning.core_stages import plan_by_rates, plan_by_records
from snowcoder.planning.corpus_size import CorpusSize, corpus_of, measured_corpus
from snowcoder.planning.measured_speeds import calibrate
from snowcoder.planning.plan_and_actual import StageCost, write_plan
from snowcoder.planning.pretraining_cost import MemoryPlan, count_parameters, plan_memory
from snowcoder.planning.profile_plan import CORE_STAGES, Training, plan_models
from snowcoder.planning.speeds import (
    DECODING_UTILISATION,
    DEVICE_MEMORY_BYTES,
    ENCODING_UTILISATION,
    TRAINING_MFU,
    Speeds,
    published_speeds,
)
from snowcoder.planning.stage_plan import NotPlanned, StagePlan
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams, VariantParams
from snowcoder.reporting.document import Table, number
from snowcoder.storage.metrics import flatten
from tools.apply_profile import apply_profile
from tools.show_results import duration, open_console, print_table

THIS = "this"
DEVICES_PER_NODE = 8  # as launch/ has them
METRICS = Path("metrics")


def read_training(params: Path) -> Training:
    """What a params.yaml pretrains."""
    raw: dict[str, Any] = read_yaml(params)
    loaded = {name: load_item("pretrain", name, TrainingParams, VariantParams, params) for name in item_names("pretrain", params)}
    phases = {name: PhaseParams(**variant.model_dump(exclude={"parent"})) for name, (_, variant) in loaded.items()}
    shared = next(iter(loaded.values()))[0]
    return Training(load_section("initialize_model", ModelParams, params), shared, phases, raw["pack_tokens"]["sequence_length"])


def devices_per_model(sharding: str, n_devices: int) -> int:
    """Over how many of `n_devices` a training spreads one copy of weights and optimizer state."""
    return {"none": 1, "full": n_devices, "hybrid": min(n_devices, DEVICES_PER_NODE)}[sharding]


def check_choices(chosen: argparse.Namespace) -> None:
    """Raises ParameterError for a number that makes a plan impossible."""
    allowed = {
        "devices": (chosen.devices >= 1, "1 or more"),
        "mfu": (0 < chosen.mfu <= 1, "above 0, 1 at most"),
        "shards": (1 <= chosen.shards <= chosen.devices, f"1 to --devices {chosen.devices}"),
        "corpus-tokens": (chosen.corpus_tokens is None or chosen.corpus_tokens >= 1, "1 or more"),
        "price": (chosen.price is None or 0 <= chosen.price < math.inf, "0 or more"),
    }
    for name, (is_allowed, range_of_values) in allowed.items():
        if not is_allowed:
            raise ParameterError(f"--{name}: found {getattr(chosen, name.replace('-', '_'))}; allowed: {range_of_values}")


def read_corpus(profile: str | None, training: Training, tokens: int | None) -> CorpusSize:
    """As many tokens as are asked for; else what the last run found, and for a profile one pass of its first phase."""
    measured = measured_corpus(METRICS)
    if tokens is not None:
        return corpus_of(tokens, measured, "as set by --corpus-tokens, in files like those of the last run")
    if profile is None:
        return measured
    first = next(iter(training.phases.values())).tokens
    return corpus_of(first, measured, "as much as one pass of the first phase takes (--corpus-tokens), in files like those of the last run")


def stage_table(plans: list[StagePlan], price: float | None) -> Table:
    """One row a stage, and the total."""
    columns = ["stage", "tokens", "FLOPs", "time", "device hours", *(["cost"] if price is not None else []), "disk"]
    total = StagePlan(
        "all",
        tokens=sum(plan.tokens for plan in plans),
        flops=sum(plan.flops for plan in plans),
        hours=sum(plan.hours for plan in plans),
        disk_bytes=sum(plan.disk_bytes for plan in plans),
        n_devices=0,
        basis="one after the other",
    )
    device_hours = sum(plan.n_devices * plan.hours for plan in plans)
    rows = [_row(plan, plan.n_devices * plan.hours, price) for plan in plans]
    return Table(
        columns,
        [*rows, _row(total, device_hours, price)],
        "Disk: outputs, and two checkpoints during training; DVC's cache holds them a second time.",
    )


def _row(plan: StagePlan, device_hours: float, price: float | None) -> list[str]:
    work = [number(plan.tokens) if plan.tokens else "-", f"{plan.flops:.1e}" if plan.flops else "-"]
    cost = [f"{device_hours * price:,.2f}"] if price is not None else []
    disk = f"{plan.disk_bytes / 1e9:,.2f} GB" if plan.disk_bytes else "-"
    hours = f"{device_hours:,.2f}" if device_hours else "-"
    return [plan.stage, *work, duration(plan.hours * 3600), hours, *cost, disk]


def memory_lines(memory: MemoryPlan, n_shards: int, activation_checkpointing: bool, micro_batch: int, device: str) -> list[str]:
    """GiB by kind, how they were counted, and whether they fit."""
    parts = {"weights": memory.weights, "gradients": memory.gradients, "optimizer": memory.optimizer, "activations": memory.activations}
    listed = ", ".join(f"{name} {size / 2**30:.2f}" for name, size in parts.items())
    spread = f"sharded over {n_shards} devices" if n_shards > 1 else "the whole model on each"
    recomputed = "with" if activation_checkpointing else "without"
    lines = [
        f"memory of a device in training: {memory.total / 2**30:.2f} GiB ({listed}); {spread}, micro-batches of {micro_batch} sequences, "
        f"{recomputed} activation checkpointing"
    ]
    if device != THIS and memory.total > DEVICE_MEMORY_BYTES[device]:
        lines.append(
            f"This does not fit: a device has {DEVICE_MEMORY_BYTES[device] / 1e9:.0f} GB; "
            "try --shards, --activation-checkpointing, or smaller micro-batches"
        )
    return lines


def assumptions(speeds: Speeds, training: Training, corpus: CorpusSize, device: str) -> list[str]:
    """The assumptions of the plan."""
    per_device = speeds.training / training.flops_per_token
    lines = [
        f"model: {count_parameters(training.shape):,} parameters with embeddings, {training.flops_per_token:.4g} FLOPs a token of training "
        f"(6 N + 12 L d T at {training.sequence_length:,} tokens)",
        f"speed: {speeds.origin}; training {per_device:,.0f} tokens/s a device, {per_device * speeds.n_devices:,.0f} together",
        f"corpus: {number(corpus.tokens)} tokens, {number(corpus.files)} files, {corpus.n_bytes / 1e9:,.2f} GB, {corpus.origin}",
    ]
    if device != THIS:
        lines.append(
            "published for comparison: llm-foundry's 1B at 8,192 tokens trains at 29,157 tokens/s and 37.7% of the peak on each of 8 "
            "H100s, sharded, without activation checkpointing"
        )
        lines.append(
            f"other shares of the peak: encoder {ENCODING_UTILISATION:.1%}, decoding {DECODING_UTILISATION:.1%}; "
            "snowcoder.planning.speeds names the sources"
        )
        lines.append("not counted: start-up, failures, queues, communication beyond those 8 devices")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", help="an overlay of profiles/ (default: params.yaml as it is)")
    parser.add_argument("--device", choices=[THIS, *DEVICE_MEMORY_BYTES], default=THIS)
    parser.add_argument("--devices", type=int, default=1, help="how many (default 1)")
    parser.add_argument("--mfu", type=float, default=TRAINING_MFU, help=f"share of the peak reached in training (default {TRAINING_MFU})")
    parser.add_argument("--shards", type=int, help="devices over which weights and optimizer are sharded (default: see above)")
    parser.add_argument("--activation-checkpointing", action="store_true", help="also by SNOWCODER_ACTIVATION_CHECKPOINTING=1")
    parser.add_argument("--corpus-tokens", type=int, help="of the filtered corpus")
    parser.add_argument("--price", type=float, help="per device and hour")
    chosen = parser.parse_args()
    recomputes = environment.flag("SNOWCODER_ACTIVATION_CHECKPOINTING")
    if chosen.shards is None:
        chosen.shards = devices_per_model(environment.text("SNOWCODER_SHARDING"), chosen.devices)
    check_choices(chosen)
    if chosen.device == THIS and chosen.activation_checkpointing and not recomputes:
        raise ParameterError(
            "--activation-checkpointing: steps measured here follow SNOWCODER_ACTIVATION_CHECKPOINTING=1; set that instead"
        )
    chosen.activation_checkpointing |= recomputes
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / PARAMS_PATH
        params.write_text(PARAMS_PATH.read_text())
        if chosen.profile:
            apply_profile(_overlay(chosen.profile), params)
        check_params(params)
        show_plan(params, chosen)


def show_plan(params: Path, chosen: argparse.Namespace) -> None:
    """Print the plan of a params.yaml, and keep that of its training stages."""
    training = read_training(params)
    memory = plan_memory(training.shape, training.shared, training.sequence_length, chosen.shards, chosen.activation_checkpointing)
    memory_bytes = memory.total
    if chosen.device == THIS:
        embedding, completions = (
            load_section("embed_files", EmbedParams, params),
            load_section("generate_completions", GenerateCompletionsParams, params),
        )
        phase = next(iter(training.phases.values()))
        speeds, measured = calibrate(training.shape, training.shared, phase, training.sequence_length, embedding, completions)
        memory_bytes = measured.memory_bytes
    else:
        speeds = published_speeds(chosen.device, chosen.devices, chosen.mfu)
    corpus = read_corpus(chosen.profile, training, chosen.corpus_tokens)
    planned, left_out = divide(plan_models(params, training, corpus, speeds))
    if chosen.profile is None and chosen.corpus_tokens is None:
        cheap, left_out = divide(plan_by_records(work_dir() / "times", [*CORE_STAGES, *(stage.stage for stage in left_out)]))
    else:
        cheap, unknown = divide(plan_by_rates(corpus, worker_count(), CORE_STAGES))
        left_out += unknown
    planned = cheap + planned
    costs = {plan.stage: StageCost(plan.hours, memory_bytes) for plan in planned if plan.stage.startswith(("pretrain@", "train_branches"))}
    write_plan(work_dir(), flatten(read_yaml(params)), speeds.origin, costs)
    console = open_console()
    for line in assumptions(speeds, training, corpus, chosen.device):
        console.print(line, highlight=False)
    micro_batch = training.shared.micro_batch_sequences
    for line in memory_lines(memory, chosen.shards, chosen.activation_checkpointing, micro_batch, chosen.device):
        console.print(line, highlight=False)
    if chosen.device == THIS:
        console.print(f"measured: {memory_bytes / 2**30:.2f} GiB of the process, libraries included", highlight=False)
    print_table(console, "Plan", stage_table(planned, chosen.price))
    for basis in dict.fromkeys(plan.basis for plan in planned):
        names = ", ".join(plan.stage for plan in planned if plan.basis == basis)
        console.print(f"{names}: {basis}", highlight=False)
    for reason in dict.fromkeys(stage.reason for stage in left_out):
        names = ", ".join(stage.stage for stage in left_out if stage.reason == reason)
        console.print(f"not planned ({reason}): {names}", highlight=False)


def divide(plans: list[StagePlan | NotPlanned]) -> tuple[list[StagePlan], list[NotPlanned]]:
    """(planned, not planned)."""
    return [plan for plan in plans if isinstance(plan, StagePlan)], [plan for plan in plans if isinstance(plan, NotPlanned)]


def _overlay(profile: str) -> Path:
    path = Path("profiles") / f"{profile}.yaml"
    if not path.exists():
        names = ", ".join(sorted(other.stem for other in Path("profiles").glob("*.yaml")))
        raise ParameterError(f"--profile: found {profile!r}; allowed: {names}")
    return path


if __name__ == "__main__":
    run_tool(main)

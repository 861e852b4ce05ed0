"""What pretraining will cost at a profile, before it is run: `make plan`, or

    python -m tools.plan [--profile h100] [--device this|a100|h100|h200|b200] [--devices N] [--mfu 0.4] [--price 2.5]

--device this (the default) trains some steps of the profile's own model here and takes their speed; another device is not asked, but taken
at its peak times --mfu (0.377 is what llm-foundry publishes for 1B parameters at 8,192 tokens on one H100). --price is per device and hour.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console

from snowcoder.errors import ParameterError, SnowcoderError
from snowcoder.params import PARAMS_PATH, load_item, load_section, read_yaml
from snowcoder.pretraining.loop import PhaseParams, TrainingParams
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.plan import (
    DEVICE_PEAK_FLOPS,
    MemoryPlan,
    PhasePlan,
    count_parameters,
    plan_memory,
    plan_phase,
    tokens_per_second_at,
)
from snowcoder.reporting.document import Table, number
from stages.pretrain import VariantParams
from tools.apply_profile import apply_profile
from tools.show_results import duration, print_table

WARMUP_STEPS, MEASURED_STEPS = 3, 8


def read_phases(params: Path) -> tuple[ModelParams, TrainingParams, dict[str, PhaseParams], int]:
    """(shape of the model, what the variants share, the phase of each, sequence length) of a params.yaml."""
    raw: dict[str, Any] = read_yaml(params)
    loaded = {name: load_item("pretrain", name, TrainingParams, VariantParams, params) for name in raw["report"]["variants"]}
    phases = {name: PhaseParams(**variant.model_dump(exclude={"parent"})) for name, (_, variant) in loaded.items()}
    shared = next(iter(loaded.values()))[0]
    return load_section("initialize_model", ModelParams, params), shared, phases, raw["pack_tokens"]["sequence_length"]


def measure_speed(shape: ModelParams, shared: TrainingParams, phase: PhaseParams, sequence_length: int) -> float:
    """Tokens per second of some steps on this machine, with random tokens. Raises ParameterError if the model would not fit."""
    needed, free = plan_memory(shape, shared, sequence_length).total, psutil.virtual_memory().available
    if needed > free:
        raise ParameterError(
            f"plan: the profile needs {needed / 2**30:.0f} GiB to train a step, {free / 2**30:.0f} GiB are free here; name a --device"
        )
    from snowcoder.pretraining.loop import train
    from snowcoder.pretraining.model import initialize

    ends_s: list[float] = []

    class RandomTokens:
        n_sequences = 1024

        def __init__(self) -> None:
            self.sequence_length = sequence_length

        def sequences(self, indices: np.ndarray) -> np.ndarray:
            ends_s.append(time.perf_counter())
            return np.random.default_rng(0).integers(0, shape.vocab_size, (len(indices), sequence_length), dtype=np.uint16)

    batch = shared.micro_batch_sequences * sequence_length  # one micro-batch a step: the optimizer's share is then overstated
    short = phase.model_copy(update={"batch_tokens": batch, "tokens": batch * (WARMUP_STEPS + MEASURED_STEPS + 1)})
    with tempfile.TemporaryDirectory() as state:
        train(initialize(shape), RandomTokens(), shared, short, Path(state), log=lambda *_: None)  # type: ignore[arg-type]
    return MEASURED_STEPS * batch / (ends_s[-1] - ends_s[WARMUP_STEPS])


def phase_table(plans: list[PhasePlan], n_devices: int, price: float | None) -> Table:
    """One row a variant, and the total."""
    columns = ["variant", "tokens", "steps", "FLOPs", "time", "disk", *(["cost"] if price is not None else [])]
    rows = []
    for plan in plans:
        cost = [f"{plan.hours * n_devices * price:,.2f}"] if price is not None else []
        size = f"{plan.disk_bytes / 1e9:,.2f} GB"
        rows.append([plan.variant, number(plan.tokens), f"{plan.steps:,}", f"{plan.flops:.2e}", duration(plan.hours * 3600), size, *cost])
    hours = sum(plan.hours for plan in plans)
    total = ["all", number(sum(plan.tokens for plan in plans)), "", f"{sum(plan.flops for plan in plans):.2e}", duration(hours * 3600)]
    total += [f"{sum(plan.disk_bytes for plan in plans) / 1e9:,.2f} GB"]
    rows.append(total + ([f"{hours * n_devices * price:,.2f}"] if price is not None else []))
    return Table(columns, rows, "Disk: packed tokens, the model, and two checkpoints while it runs.")


def memory_line(memory: MemoryPlan) -> str:
    """Gibibytes by kind."""
    parts = {"weights": memory.weights, "gradients": memory.gradients, "optimizer": memory.optimizer, "activations": memory.activations}
    listed = ", ".join(f"{name} {size / 2**30:.2f}" for name, size in parts.items())
    return f"memory of a device: {memory.total / 2**30:.2f} GiB ({listed}), the whole model on each"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", help="an overlay of profiles/ (default: params.yaml as it is)")
    parser.add_argument("--device", choices=["this", *DEVICE_PEAK_FLOPS], default="this")
    parser.add_argument("--devices", type=int, default=1, help="how many (default 1)")
    parser.add_argument("--mfu", type=float, default=0.377, help="share of the peak that is reached (default 0.377)")
    parser.add_argument("--price", type=float, help="per device and hour")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / PARAMS_PATH
        params.write_text(PARAMS_PATH.read_text())
        if chosen.profile:
            overlay = Path("profiles") / f"{chosen.profile}.yaml"
            if not overlay.exists():
                names = ", ".join(sorted(path.stem for path in Path("profiles").glob("*.yaml")))
                raise ParameterError(f"--profile: found {chosen.profile!r}; allowed: {names}")
            apply_profile(overlay, params)
        shape, shared, phases, sequence_length = read_phases(params)
    if chosen.device == "this":
        speed, origin = measure_speed(shape, shared, next(iter(phases.values())), sequence_length), "measured here"
    else:
        speed = tokens_per_second_at(shape, sequence_length, DEVICE_PEAK_FLOPS[chosen.device], chosen.mfu, chosen.devices)
        origin = f"{chosen.devices} x {chosen.device} at {chosen.mfu:.1%} of {DEVICE_PEAK_FLOPS[chosen.device] / 1e12:,.0f} TFLOP/s"
    plans = [plan_phase(name, shape, phase, sequence_length, speed) for name, phase in phases.items()]
    console = Console()
    console.print(f"model: {count_parameters(shape):,} parameters; speed: {speed:,.0f} tokens/s ({origin})", highlight=False)
    console.print(memory_line(plan_memory(shape, shared, sequence_length)), highlight=False)
    print_table(console, "Pretraining", phase_table(plans, chosen.devices if chosen.device != "this" else 1, chosen.price))
    console.print("Not in the plan: fetching, filtering, embedding, teacher, evaluation; `make repro` shows what each took.")


if __name__ == "__main__":
    try:
        main()
    except SnowcoderError as error:
        sys.exit(f"error: {error}")

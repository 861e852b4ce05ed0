"""Measures tokens per second, MFU and peak memory on one GPU: micro-batch x activation checkpointing x attention kernel.

    python -m bench.train_gpu [--profile paper] [--limit-s 540] [--list]

The stage's own loop trains the profile's model (paper: 1.364B parameters, sequences of 8,192) on random tokens, each configuration in a
separate process. Results are kept in .work/bench/train_gpu.jsonl, one row a configuration and device: a run that --limit-s ends
is gone on with by the same command. --list shows the configurations with their planned memory, on any machine.
Tokens/s and MFU are those of the steps after the warm-up, by the formula of snowcoder.pretraining.watch.throughput.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from snowcoder.pipeline.stage import work_dir
from snowcoder.planning.pretraining_cost import count_parameters, plan_memory
from snowcoder.pretraining.loop import train
from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.throughput import Interval, device_name, flops_per_token, throughput_metrics
from tools.apply_profile import apply_profile
from tools.plan import read_training

ROOT = Path(__file__).resolve().parents[1]
STEP_SEQUENCES = 8  # of an optimizer step, in micro-batches
WARMUP_STEPS, STEPS = 2, 5
CONFIGURATION_LIMIT_S = 240
ATTENTION = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION, "efficient": SDPBackend.EFFICIENT_ATTENTION}
RESULT_MARK = "measured "


class Configuration(NamedTuple):
    """micro_batch: sequences of a forward pass; checkpointing: of activations; attention: kernel of torch's SDPA."""

    micro_batch: int
    checkpointing: bool
    attention: str

    @property
    def name(self) -> str:
        """`4-checkpointing-flash`."""
        return f"{self.micro_batch}-{'checkpointing' if self.checkpointing else 'keeping'}-{self.attention}"


# FlashAttention first: a run that is cut short has then seen what is most likely the best
CONFIGURATIONS = [
    Configuration(micro_batch, checkpointing, attention)
    for attention, checkpointing, micro_batch in itertools.product(ATTENTION, (True, False), (1, 2, 4, 8))
]


def read_profile(profile: str) -> tuple[ModelParams, TrainingParams, PhaseParams, int]:
    """(shape, training, first phase, sequence length) of a profile."""
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / "params.yaml"
        params.write_text((ROOT / "params.yaml").read_text())
        apply_profile(ROOT / "profiles" / f"{profile}.yaml", params)
        training = read_training(params)
    return training.shape, training.shared.model_copy(update={"attention": "sdpa"}), training.phases["general"], training.sequence_length


def planned_bytes(configuration: Configuration, shape: ModelParams, shared: TrainingParams, sequence_length: int) -> int:
    """Memory that a configuration needs, as `make plan` says."""
    batch = shared.model_copy(update={"micro_batch_sequences": configuration.micro_batch})
    return plan_memory(shape, batch, sequence_length, activation_checkpointing=configuration.checkpointing).total


class RandomTokens:
    """Random tokens in the shape of TokenShards; notes when each micro-batch was asked for."""

    n_sequences = 4096

    def __init__(self, vocab_size: int, sequence_length: int) -> None:
        self.sequence_length = sequence_length
        self.asked_s: list[float] = []
        self._tokens = np.random.default_rng(0).integers(0, vocab_size, (64, sequence_length), dtype=np.uint16)

    def sequences(self, indices: np.ndarray) -> np.ndarray:
        """uint16 [len(indices), sequence_length]."""
        self.asked_s.append(time.perf_counter())
        return self._tokens[np.asarray(indices) % len(self._tokens)]


def measure(configuration: Configuration, profile: str) -> dict[str, Any]:
    """Train some steps in this process, on its GPU; every step ends with its loss on the CPU, so that wall time is the device's too."""
    shape, shared, phase, sequence_length = read_profile(profile)
    batch_tokens = STEP_SEQUENCES * sequence_length
    short = phase.model_copy(update={"batch_tokens": batch_tokens, "tokens": batch_tokens * (STEPS + 1)})  # the last one gives the end
    data = RandomTokens(shape.vocab_size, sequence_length)
    with torch.device("cuda"):
        model = initialize(shape)
    shared = shared.model_copy(update={"micro_batch_sequences": configuration.micro_batch})
    with tempfile.TemporaryDirectory() as state, sdpa_kernel(ATTENTION[configuration.attention]):
        train(model, data, shared, short, Path(state))  # type: ignore[arg-type]
    starts_s = data.asked_s[:: STEP_SEQUENCES // configuration.micro_batch]
    elapsed_s = starts_s[STEPS] - starts_s[WARMUP_STEPS]
    per_token = flops_per_token(count_parameters(shape), shape.layers, shape.hidden_size, sequence_length)
    interval = Interval((STEPS - WARMUP_STEPS) * batch_tokens, elapsed_s, 0.0)
    found = throughput_metrics(interval, per_token, device_name(), 1)
    peak_gib = torch.cuda.max_memory_allocated() / 2**30
    return {"tokens_per_second": found["tokens_per_second"], "mfu": found.get("mfu"), "peak_gib": peak_gib}


def measure_apart(configuration: Configuration, profile: str) -> dict[str, Any]:
    """The same in its own process; {"fault": …} if it does not end well or in time."""
    command = [sys.executable, "-m", "bench.train_gpu", "--profile", profile, "--only", configuration.name]
    environment = os.environ | {"SNOWCODER_ACTIVATION_CHECKPOINTING": str(int(configuration.checkpointing))}
    environment |= {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True", "SNOWCODER_CHECKPOINT_INTERVAL_S": "1e9"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CONFIGURATION_LIMIT_S, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return {"fault": f"did not end in {CONFIGURATION_LIMIT_S} s"}
    marked = [line for line in done.stdout.splitlines() if line.startswith(RESULT_MARK)]
    if done.returncode or not marked:
        return {"fault": (done.stderr.strip().splitlines() or ["ended without a message"])[-1][:200]}
    return dict(json.loads(marked[-1].removeprefix(RESULT_MARK)))


def row(configuration: Configuration, found: dict[str, Any]) -> str:
    """One line of the table."""
    if "fault" in found:
        return f"| {configuration.name} | - | - | {found['fault']} |"
    mfu = "-" if found["mfu"] is None else f"{found['mfu']:.1%}"
    return f"| {configuration.name} | {found['tokens_per_second']:,.0f} | {mfu} | {found['peak_gib']:.1f} |"


def list_configurations(profile: str) -> None:
    """What would be measured, with its planned memory."""
    shape, shared, _, sequence_length = read_profile(profile)
    for configuration in CONFIGURATIONS:
        print(f"{configuration.name}: planned {planned_bytes(configuration, shape, shared, sequence_length) / 2**30:.0f} GiB")


def sweep(profile: str, limit_s: float) -> None:
    """Measure what is not measured yet on this device, and print the table."""
    started_s, device = time.monotonic(), device_name()
    record = work_dir() / "bench" / "train_gpu.jsonl"
    record.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    known = {entry["name"]: entry["found"] for entry in rows if (entry["profile"], entry["device"]) == (profile, device)}
    print(f"{device}, profile {profile}\n| configuration | tokens/s | MFU | peak GiB |\n|---|---|---|---|")
    for configuration in CONFIGURATIONS:
        if configuration.name not in known:
            if time.monotonic() - started_s + CONFIGURATION_LIMIT_S > limit_s:
                print(f"stopped before {configuration.name}: --limit-s {limit_s:.0f}; run the same command again to resume", flush=True)
                return
            known[configuration.name] = measure_apart(configuration, profile)
            with record.open("a") as file:
                entry = {"profile": profile, "device": device, "name": configuration.name, "found": known[configuration.name]}
                file.write(json.dumps(entry) + "\n")
        print(row(configuration, known[configuration.name]), flush=True)


def main() -> None:
    """Sweep, list, or (for its own use) measure one configuration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="paper")
    parser.add_argument("--limit-s", type=float, default=540.0, help="start no configuration that could end after this (default 540)")
    parser.add_argument("--list", action="store_true", help="show the configurations and their planned memory")
    parser.add_argument("--only", choices=[configuration.name for configuration in CONFIGURATIONS], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.list:
        list_configurations(chosen.profile)
        return
    if not torch.cuda.is_available():
        sys.exit("bench.train_gpu: torch sees no GPU here; run it on a machine with one (and torch's CUDA build), or see --list")
    if chosen.only:
        [configuration] = [one for one in CONFIGURATIONS if one.name == chosen.only]
        print(RESULT_MARK + json.dumps(measure(configuration, chosen.profile)))
    else:
        sweep(chosen.profile, chosen.limit_s)


if __name__ == "__main__":
    main()

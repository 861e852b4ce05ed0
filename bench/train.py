"""Measures tokens per second of pretraining: snowcoder's loop against transformers' Trainer and a plain PyTorch loop.

    python -m bench.train [--quick] [--compiled]

The same model (the nano profile's), batch, optimizer, precision (bf16 autocast) and data (random tokens: their values do not matter), in
turns, so that other load falls on all alike. Prints the median of the steps' rates for each and, last, `ratio <ours / Trainer>`, of the
faster settings of each that were measured. --compiled adds both with torch.compile (a C++ compiler and some minutes).
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

from snowcoder.pipeline.params import load_item, load_section
from snowcoder.pretraining.loop import make_optimizer, train
from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams, VariantParams

SEQUENCE_LENGTH = 256
WARMUP_STEPS = 3
STEPS = 30


class RandomTokens:
    """As many sequences of random tokens as a short run needs, in the shape of TokenShards and of a torch Dataset."""

    n_sequences = 256
    sequence_length = SEQUENCE_LENGTH

    def __init__(self, vocab_size: int) -> None:
        self.tokens = np.random.default_rng(0).integers(0, vocab_size, (self.n_sequences, SEQUENCE_LENGTH), dtype=np.uint16)

    def sequences(self, indices: np.ndarray) -> np.ndarray:
        return self.tokens[indices]

    def __len__(self) -> int:
        return self.n_sequences

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = torch.from_numpy(self.tokens[index].astype(np.int64))
        return {"input_ids": row, "labels": row}


class StepClock(TrainerCallback):
    """When each step ended, in seconds."""

    def __init__(self) -> None:
        self.ends_s: list[float] = []

    def on_step_end(self, *arguments: Any, **named: Any) -> None:
        self.ends_s.append(time.perf_counter())


def rates(ends_s: list[float], batch_tokens: int) -> list[float]:
    """Tokens per second of each step after the warm-up."""
    steps_s = [end - start for start, end in itertools.pairwise(ends_s)][WARMUP_STEPS:]
    return [batch_tokens / step_s for step_s in steps_s]


def ours(model: LlamaForCausalLM, data: RandomTokens, shared: TrainingParams, phase: PhaseParams, n_steps: int) -> list[float]:
    """The stage's own loop."""
    ends_s: list[float] = []

    class Clocked(RandomTokens):
        def sequences(self, indices: np.ndarray) -> np.ndarray:  # asked for once per micro-batch
            ends_s.append(time.perf_counter())
            return super().sequences(indices)

    short = phase.model_copy(update={"tokens": phase.batch_tokens * n_steps})
    with tempfile.TemporaryDirectory() as state:
        train(model, Clocked(model.config.vocab_size), shared, short, Path(state))  # type: ignore[arg-type]
    per_step = max(1, phase.batch_tokens // SEQUENCE_LENGTH // shared.micro_batch_sequences)
    return rates(ends_s[::per_step], phase.batch_tokens)


def ours_compiled(model: LlamaForCausalLM, data: RandomTokens, shared: TrainingParams, phase: PhaseParams, n_steps: int) -> list[float]:
    """With pretrain.shared.compile: true."""
    return ours(model, data, shared.model_copy(update={"compile": True}), phase, n_steps)


def by_trainer(compiled: bool) -> Callable[..., list[float]]:
    """transformers' Trainer with the settings that suit it: fused AdamW, no logging, no saving, no workers for data in memory."""

    def run(model: LlamaForCausalLM, data: RandomTokens, shared: TrainingParams, phase: PhaseParams, n_steps: int) -> list[float]:
        clock = StepClock()
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder,
                max_steps=n_steps,
                per_device_train_batch_size=phase.batch_tokens // SEQUENCE_LENGTH,
                bf16=True,
                use_cpu=True,
                optim="adamw_torch_fused",
                torch_compile=compiled,
                logging_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            )
            Trainer(model=model, args=arguments, train_dataset=data, callbacks=[clock]).train()  # type: ignore[arg-type]
        return rates(clock.ends_s, phase.batch_tokens)

    return run


def plain(model: LlamaForCausalLM, data: RandomTokens, shared: TrainingParams, phase: PhaseParams, n_steps: int) -> list[float]:
    """What one writes by hand: autocast, logits, cross_entropy, fused AdamW."""
    optimizer, ends_s = make_optimizer(model, shared), []
    batch = phase.batch_tokens // SEQUENCE_LENGTH
    for step in range(n_steps):
        token_ids = torch.from_numpy(data.sequences(np.arange(step * batch, (step + 1) * batch) % data.n_sequences).astype(np.int64))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=token_ids, use_cache=False).logits
            loss = cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]).float(), token_ids[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), shared.max_gradient_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        ends_s.append(time.perf_counter())
    return rates(ends_s, phase.batch_tokens)


PEERS = {
    "ours": ours,
    "ours, compiled": ours_compiled,
    "Trainer": by_trainer(compiled=False),
    "Trainer, compiled": by_trainer(compiled=True),
    "plain loop": plain,
}


def measure(name: str) -> list[float]:
    """Tokens per second of each of a peer's steps, in this process."""
    shared, variant = load_item("pretrain", "general", TrainingParams, VariantParams)
    phase = PhaseParams(**variant.model_dump(exclude={"parent"}))
    torch.set_num_threads(shared.cpu_threads)
    shape = load_section("initialize_model", ModelParams)
    return PEERS[name](initialize(shape), RandomTokens(shape.vocab_size), shared, phase, STEPS)


def measure_apart(name: str) -> list[float]:
    """The same in its own process: settings of one peer (threads, determinism, allocator) must not reach the next."""
    command = [sys.executable, "-m", "bench.train", "--only", name]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [float(rate) for rate in json.loads(lines[-1])]


def main() -> None:
    """Measure in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds instead of five")
    parser.add_argument("--compiled", action="store_true", help="also both with torch.compile")
    parser.add_argument("--only", choices=list(PEERS), help="measure one peer once and print its steps' rates as JSON")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only)))
        return
    names = [name for name in PEERS if arguments.compiled or not name.endswith("compiled")]
    measured: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(2 if arguments.quick else 5):
        for name in names:
            measured[name] += measure_apart(name)
    for name, values in measured.items():
        deciles = statistics.quantiles(values, n=10)
        print(f"{name}: {statistics.median(values):,.0f} tokens/s (80% of steps from {deciles[0]:,.0f} to {deciles[-1]:,.0f})")
    best = {side: max(statistics.median(measured[name]) for name in names if name.startswith(side)) for side in ("ours", "Trainer")}
    print(f"ratio {best['ours'] / best['Trainer']:.2f}")


if __name__ == "__main__":
    main()

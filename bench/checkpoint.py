"""Measures what asynchronous checkpoints and reading the input cost a training step, in the stage's own loop.

    python -m bench.checkpoint [--steps 300] [--every-s 4]

The nano profile's model, batch and precision; random tokens in a TokenShards folder, as the stage reads them. A checkpoint's cost is
what the WINDOW_STEPS steps that begin with its save() take longer than as many median steps of those outside all such windows. Prints it,
its share of the time at the default interval (goal below 2%), and the share of time that steps wait for their tokens (goal below 1%).
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from snowcoder.pipeline import environment
from snowcoder.pipeline.params import load_item, load_section
from snowcoder.pretraining.checkpoint_writer import CheckpointWriter
from snowcoder.pretraining.loop import train
from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams, VariantParams
from snowcoder.pretraining.watch.watcher import Step
from snowcoder.tokenization.token_shards import ShardLayout, TokenShards

SEQUENCE_LENGTH, N_SEQUENCES = 256, 4096
WARMUP_STEPS, WINDOW_STEPS = 5, 10
DEFAULT_INTERVAL_S = environment.seconds("SNOWCODER_CHECKPOINT_INTERVAL_S")


class Measurement:
    """ends_s: when each step ended; saved_at, held_s: before which steps (index) save() was called, and how long it took."""

    def __init__(self) -> None:
        self.ends_s: list[float] = []
        self.saved_at: list[int] = []
        self.held_s: list[float] = []
        self.steps: list[Step] = []

    def see(self, step: Step) -> None:
        """One step ended."""
        self.ends_s.append(time.perf_counter())
        self.steps.append(step)

    def step_seconds(self) -> np.ndarray:
        """Of each step but the first; a step's save() comes after it was seen, hence in the next one's time."""
        return np.diff(self.ends_s)


def write_tokens(folder: Path, vocab_size: int) -> TokenShards:
    """Random tokens in the stage's own format."""
    layout = ShardLayout(folder, SEQUENCE_LENGTH, N_SEQUENCES, N_SEQUENCES)
    layout.allocate()
    layout.write_at(0, np.random.default_rng(0).integers(0, vocab_size, layout.n_tokens).astype(np.uint16))
    layout.publish({})
    return TokenShards(folder)


def measure(n_steps: int, every_s: float) -> Measurement:
    """Train, and note when what happened."""
    shared, variant = load_item("pretrain", "general", TrainingParams, VariantParams)
    shape = load_section("initialize_model", ModelParams)
    phase = PhaseParams(**variant.model_dump(exclude={"parent"}))
    short = phase.model_copy(update={"tokens": phase.batch_tokens * n_steps})
    os.environ["SNOWCODER_CHECKPOINT_INTERVAL_S"] = str(every_s)
    found, save = Measurement(), CheckpointWriter.save

    def timed_save(self: CheckpointWriter, *arguments: Any) -> None:
        found.saved_at.append(len(found.ends_s) - 1)
        began_s = time.perf_counter()
        save(self, *arguments)
        found.held_s.append(time.perf_counter() - began_s)

    CheckpointWriter.save = timed_save  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        data = write_tokens(Path(folder) / "tokens", shape.vocab_size)
        train(initialize(shape), data, shared, short, Path(folder) / "state", [found])
    return found


def checkpoint_costs(seconds: np.ndarray, saved_at: list[int]) -> tuple[list[float], float]:
    """(seconds that each whole window took too long, seconds of a median step outside them)."""
    windows = [range(first, first + WINDOW_STEPS) for first in saved_at if first >= WARMUP_STEPS and first + WINDOW_STEPS <= len(seconds)]
    inside = {index for window in windows for index in window}
    outside = [seconds[index] for index in range(WARMUP_STEPS, len(seconds)) if index not in inside]
    usual_s = statistics.median(outside)
    return [float(seconds[list(window)].sum()) - WINDOW_STEPS * usual_s for window in windows], usual_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every-s", type=float, default=4.0)
    chosen = parser.parse_args()
    found = measure(chosen.steps, chosen.every_s)
    costs_s, usual_s = checkpoint_costs(found.step_seconds(), found.saved_at)
    print(f"step {usual_s * 1000:.0f} ms (median of steps without a checkpoint); {len(costs_s)} checkpoints")
    cost_s, held_s = statistics.median(costs_s), statistics.median(found.held_s)
    spread = f"{min(costs_s) * 1000:.0f} to {max(costs_s) * 1000:.0f}"
    print(f"a checkpoint costs {cost_s * 1000:.0f} ms (median; {spread}), of which save() holds {held_s * 1000:.0f} ms")
    print(f"at one every {DEFAULT_INTERVAL_S:.0f} s: {cost_s / DEFAULT_INTERVAL_S:.2%} of the time")
    measured = found.steps[WARMUP_STEPS:]
    waited = sum(step.input_wait_s for step in measured) / sum(step.elapsed_s for step in measured)
    print(f"input wait: {waited:.3%} of the time")


if __name__ == "__main__":
    main()

"""Measures how fast this machine does each kind of work: training steps, encoder batches, decoded tokens.

in: the profile's own model and encoder, random tokens   out: Speeds, memory of training
Takes seconds where the model suits the machine; what does not fit into its memory is refused before it is tried.
"""

import resource
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from snowcoder.embedding.encoder_source import EmbedParams, find_encoder
from snowcoder.errors import ParameterError
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.pipeline import environment
from snowcoder.pipeline.accelerator import device_type
from snowcoder.pipeline.execution import worker_count
from snowcoder.planning.model_stages import encoder_flops_per_token
from snowcoder.planning.pretraining_cost import count_parameters, plan_memory
from snowcoder.planning.speeds import Speeds
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.throughput import flops_per_token
from snowcoder.storage.metrics import read_metrics

WARMUP_STEPS, MEASURED_STEPS = 3, 8
MEASURED_BATCHES = 3
PROMPT_TOKENS, NEW_TOKENS = 64, 16
MAX_OTHER_LOAD = 0.2  # share of the processors; threads that wait for each other were seen to train at a seventh of the idle speed


class TrainingSpeed(NamedTuple):
    """memory_bytes: of this process at most, or of its GPU."""

    tokens_per_second: float
    memory_bytes: int


def measure_training(shape: ModelParams, shared: TrainingParams, phase: PhaseParams, sequence_length: int) -> TrainingSpeed:
    """Some optimizer steps of one micro-batch each. Raises ParameterError if the model would not fit."""
    recomputing = environment.flag("SNOWCODER_ACTIVATION_CHECKPOINTING")
    _check_memory(plan_memory(shape, shared, sequence_length, activation_checkpointing=recomputing).total)
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
        train(initialize(shape), RandomTokens(), shared, short, Path(state))  # type: ignore[arg-type]
    return TrainingSpeed(MEASURED_STEPS * batch / (ends_s[-1] - ends_s[WARMUP_STEPS]), _peak_memory_bytes())


def measure_encoding(params: EmbedParams) -> float:
    """FLOP/s over full sections."""
    from snowcoder.embedding.encoder import Encoder

    folder = find_encoder(params.encoder)
    config = read_metrics(folder / "config.json")
    encoder = Encoder(folder, params.encoder.pooling, params.bf16, params.cpu_threads, params.device)
    rows = max(1, params.batch_tokens // params.section_tokens)
    sections = np.random.default_rng(0).integers(1000, config["vocab_size"], (rows, params.section_tokens)).tolist()
    encoder.embed(sections, params.batch_tokens, "calibration")
    began_s = time.perf_counter()
    encoder.embed(sections * MEASURED_BATCHES, params.batch_tokens, "calibration")
    tokens = MEASURED_BATCHES * rows * params.section_tokens
    return tokens * encoder_flops_per_token(config, params.section_tokens) / (time.perf_counter() - began_s)


def measure_decoding(shape: ModelParams, params: GenerateCompletionsParams) -> float:
    """FLOP/s of written tokens, as many batches at a time as the engine decodes."""
    import torch

    from snowcoder.inference.local.decoding import decode_batch
    from snowcoder.pretraining.model import initialize

    torch.set_num_threads(params.cpu_threads)
    device = torch.device(device_type())
    model = initialize(shape).to(getattr(torch, params.precision)).to(device).eval()
    prompts = np.random.default_rng(0).integers(1, shape.vocab_size, (params.batch_size, PROMPT_TOKENS)).tolist()
    workers = worker_count() if device.type == "cpu" else 1
    with ThreadPoolExecutor(workers) as pool:

        def decode(n_tokens: int) -> float:
            began_s = time.perf_counter()
            list(pool.map(lambda _: decode_batch(model, prompts, n_tokens, lambda _: False), range(workers)))
            return time.perf_counter() - began_s

        decode(2)
        seconds = decode(NEW_TOKENS)
    return 2 * count_parameters(shape) * workers * params.batch_size * NEW_TOKENS / seconds


def calibrate(
    shape: ModelParams,
    shared: TrainingParams,
    phase: PhaseParams,
    sequence_length: int,
    embedding: EmbedParams,
    completions: GenerateCompletionsParams,
) -> tuple[Speeds, TrainingSpeed]:
    """All three. Raises ParameterError, SourceError."""
    other_load = psutil.cpu_percent(interval=0.5) / 100
    busy = f", WHILE OTHER PROGRAMS USED {other_load:.0%} of the processors: an idle machine may be many times faster"
    training = measure_training(shape, shared, phase, sequence_length)
    per_token = flops_per_token(count_parameters(shape), shape.layers, shape.hidden_size, sequence_length)
    speeds = Speeds(
        training=training.tokens_per_second * per_token,
        encoding=measure_encoding(embedding),
        decoding=measure_decoding(shape, completions),
        decode_layer_s=0.0,  # in the measurement
        n_devices=1,
        origin=f"measured here just now{busy if other_load > MAX_OTHER_LOAD else ''}",
    )
    return speeds, training


def _check_memory(needed_bytes: int) -> None:
    free = psutil.virtual_memory().available
    if needed_bytes > free:
        raise ParameterError(
            f"plan: the profile needs {needed_bytes / 2**30:.0f} GiB to train a step, {free / 2**30:.0f} GiB are free here; name a --device"
        )


def _peak_memory_bytes() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

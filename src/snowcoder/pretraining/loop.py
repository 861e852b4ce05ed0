"""The training loop: trains a parent checkpoint on packed tokens with a schedule, and resumes exactly.

in:  a Hugging Face model folder, a TokenShards folder (uint16 [n_sequences, sequence_length])
out: the trained model, and one LossPoint per optimizer step

A step's batch, learning rate and arithmetic depend only on params, data and step (no dropout, no loader state). So weights and losses
after kill -9 and a rerun equal those of an uninterrupted run bit for bit, on the same processor, torch build and thread count.
"""

import copy
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import LlamaForCausalLM

from snowcoder.errors import EmptyResultError, ParameterError, ShardError
from snowcoder.pipeline import environment
from snowcoder.pipeline.allocator import keep_freed_memory
from snowcoder.pipeline.console import say
from snowcoder.pretraining.batches import BatchOrder
from snowcoder.pretraining.checkpoint_files import read_checkpoint, training_state
from snowcoder.pretraining.checkpoint_writer import CheckpointWriter, newest_checkpoint
from snowcoder.pretraining.data_parallel import (
    accumulation,
    clip_gradients,
    distribute,
    gather_weights,
    mean_over_processes,
    release_whole_weights,
)
from snowcoder.pretraining.interruptions import TerminationFlag, device_failures_explained
from snowcoder.pretraining.objective import Objective
from snowcoder.pretraining.processes import agree, launched_processes, own_device, own_sequences, process_number, tell_of_crowded_processors
from snowcoder.pretraining.schedule import learning_rate
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.watcher import Step, Watcher
from snowcoder.tokenization.token_shards import TokenShards


class LossPoint(NamedTuple):
    """One row of loss_curve.csv: `tokens` seen after the step, mean loss in nats per token, norm of the gradient before clipping."""

    step: int
    tokens: int
    learning_rate: float
    train_loss: float
    gradient_norm: float


class StepResult(NamedTuple):
    """train_loss: nats per token; gradient_norm: before clipping; input_wait_s: time that the step waited for its tokens."""

    train_loss: float
    gradient_norm: float
    input_wait_s: float


def train(
    model: LlamaForCausalLM,
    data: TokenShards,
    shared: TrainingParams,
    phase: PhaseParams,
    state_folder: Path,
    watchers: Sequence[Watcher] = (),
) -> list[LossPoint]:
    """Train `model` in place and return its loss curve.

    watchers: see each step; LossWatch, which stops at a loss that is no number, is one of them.
    Every process of a launcher calls it with the same model, data and parameters: the processes share each batch, and in the end each has
    the whole model. Process 0 decides when to checkpoint. Sharding and other settings of speed and memory come from the environment.
    """
    _check_data(data, model.config)
    batch_sequences = _batch_sequences(phase, shared, data.sequence_length)
    n_steps, interval_s = phase.tokens // phase.batch_tokens, environment.seconds("SNOWCODER_CHECKPOINT_INTERVAL_S")
    rank, n_processes = process_number(), launched_processes()
    sharded = environment.text("SNOWCODER_SHARDING") != "none" and n_processes > 1
    with device_failures_explained(state_folder), TerminationFlag() as termination, CheckpointWriter(state_folder, sharded) as checkpoints:
        trained = copy.deepcopy(model) if sharded else model  # sharding cannot be undone in place
        objective, optimizer = _prepare(trained, shared)
        curve = _take_up(state_folder, trained, optimizer, n_steps)
        order = BatchOrder(data.n_sequences, batch_sequences, phase.seed)
        saved_s = ended_s = time.monotonic()
        for step in range(len(curve), n_steps):
            rate, indices = learning_rate(step, n_steps, phase.schedule), order.indices(step)
            own = own_sequences(indices, rank, n_processes)
            result = _optimizer_step(objective, optimizer, data, own, rate, shared, model.config.vocab_size)
            point = LossPoint(step + 1, (step + 1) * phase.batch_tokens, rate, result.train_loss, result.gradient_norm)
            began_s, ended_s = ended_s, time.monotonic()
            timing = ended_s - began_s, result.input_wait_s
            seen = Step(step + 1, n_steps, phase.batch_tokens, *point[2:], *timing, indices.tolist(), objective, own_device())
            for watcher in watchers:
                watcher.see(seen)
            release_whole_weights(objective)  # which a watcher's forward pass may have gathered
            curve.append(point)
            # also after the last step: if publishing fails, nothing is trained again
            is_due = step + 1 == n_steps or time.monotonic() - saved_s >= interval_s
            leaving, saving = agree(termination.requested, rank == 0 and is_due)
            if (leaving or saving) and (sharded or rank == 0):
                checkpoints.save(len(curve), training_state(trained, optimizer), [tuple(point) for point in curve])
                saved_s = time.monotonic()
            if leaving:
                if rank == 0:
                    say(f"asked to end: stopped after step {step + 1} of {n_steps} with a checkpoint; run again to resume")
                raise SystemExit(128 + signal.SIGTERM)
        if sharded:
            gather_weights(trained, model)
    return curve


def _prepare(model: LlamaForCausalLM, shared: TrainingParams) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """Model and objective on their devices, spread over the processes in place; the objective is what is called."""
    tell_of_crowded_processors(shared.cpu_threads)
    torch.set_num_threads(shared.cpu_threads)
    torch.use_deterministic_algorithms(True, warn_only=own_device().type == "cuda")
    # it only reveals reads of uninitialised memory, for 3% of a training step
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    keep_freed_memory()
    model.set_attn_implementation(shared.attention)
    model.train()
    recomputes = environment.flag("SNOWCODER_ACTIVATION_CHECKPOINTING")
    objective = Objective(model, bf16=shared.bf16, compile_layers=shared.compile, checkpoint_activations=recomputes)
    distributed = distribute(objective, model.model.layers, environment.text("SNOWCODER_SHARDING"), own_device())
    return distributed, make_optimizer(model, shared)


def _take_up(state_folder: Path, model: LlamaForCausalLM, optimizer: torch.optim.Optimizer, n_steps: int) -> list[LossPoint]:
    """Set model and optimizer to the newest checkpoint, if there is one; returns the curve so far."""
    checkpoint = newest_checkpoint(state_folder)
    if checkpoint is None:
        return []
    curve = [LossPoint(*point) for point in read_checkpoint(checkpoint, model, optimizer)]  # type: ignore[arg-type]
    if process_number() == 0:
        say(f"resuming from step {len(curve)} of {n_steps}")
    return curve


def make_optimizer(model: torch.nn.Module, shared: TrainingParams) -> torch.optim.AdamW:
    """AdamW, fused; weight decay on matrices only, as is usual for Llama (the paper says only `Adam`)."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": shared.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(shared.adam_beta1, shared.adam_beta2), fused=True)


def _optimizer_step(
    objective: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    data: TokenShards,
    own: np.ndarray,
    rate: float,
    shared: TrainingParams,
    vocab_size: int,
) -> StepResult:
    """One step on this process's sequences of the batch, `own`."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    micro_batches = [own[first : first + shared.micro_batch_sequences] for first in range(0, len(own), shared.micro_batch_sequences)]
    total, input_wait_s = torch.zeros((), device=own_device()), 0.0
    for number, micro_batch in enumerate(micro_batches, 1):
        asked_s = time.perf_counter()
        token_ids = torch.from_numpy(_known_tokens(data, micro_batch, vocab_size)).to(own_device())
        input_wait_s += time.perf_counter() - asked_s
        with accumulation(objective, last=number == len(micro_batches)):
            loss = objective(token_ids) * (len(micro_batch) / len(own))
            loss.backward()
        total += loss.detach()
    gradient_norm = clip_gradients(objective, shared.max_gradient_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return StepResult(mean_over_processes(total), gradient_norm, input_wait_s)


def _known_tokens(data: TokenShards, sequences: np.ndarray, vocab_size: int) -> np.ndarray:
    """int64 [len(sequences), sequence_length]. On a GPU an unknown id would look like a device failure."""
    tokens = data.sequences(sequences).astype(np.int64)
    if (largest := int(tokens.max())) >= vocab_size:
        raise ShardError(
            f"pretrain: the packed tokens contain id {largest}, but the model has {vocab_size} (train_tokenizer.vocab_size); "
            "they are from another tokenizer: run `dvc repro`, which packs them again"
        )
    return tokens


def _batch_sequences(phase: PhaseParams, shared: TrainingParams, sequence_length: int) -> int:
    if phase.batch_tokens % sequence_length:
        raise ParameterError(
            f"params.yaml: pretrain: batch_tokens {phase.batch_tokens} is not a multiple of pack_tokens.sequence_length {sequence_length}"
        )
    return phase.batch_tokens // sequence_length


def _check_data(data: TokenShards, config: Any) -> None:
    if data.n_sequences == 0:
        raise EmptyResultError("pretrain: no packed sequences to train on; pack_tokens wrote none: add files, or shorter sequences")
    if data.sequence_length > config.max_position_embeddings:
        raise ParameterError(
            f"params.yaml: pack_tokens.sequence_length {data.sequence_length} is beyond the model's positions; "
            f"allowed: up to initialize_model.max_positions {config.max_position_embeddings}"
        )

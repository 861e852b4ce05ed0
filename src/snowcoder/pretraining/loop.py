"""The training loop: from a parent checkpoint over packed tokens, with a schedule; exactly resumable.

in:  a Hugging Face model folder, a TokenShards folder (uint16 [n_sequences, sequence_length])
out: the trained model, and one LossPoint per optimizer step; raises TrainingError for a loss that is no number

A step's batch, learning rate and arithmetic depend on params, data and step alone (no dropout, no loader state), so that weights and
losses after kill -9 and a rerun equal those of an uninterrupted run bit for bit on the same processor, torch build and thread count.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from accelerate import Accelerator
from pydantic import Field, model_validator
from transformers import LlamaForCausalLM

from snowcoder.allocator import keep_freed_memory
from snowcoder.console import say
from snowcoder.errors import CheckpointError, EmptyResultError, ParameterError, SnowcoderError
from snowcoder.params import ParamsModel
from snowcoder.pretraining.batches import BatchOrder
from snowcoder.pretraining.checkpoint import CheckpointWriter, load_state
from snowcoder.pretraining.loss import next_token_loss
from snowcoder.pretraining.pace import Pace
from snowcoder.pretraining.processes import any_process, launched_processes, own_sequences
from snowcoder.pretraining.schedule import ScheduleParams, learning_rate
from snowcoder.pretraining.throughput import Interval
from snowcoder.pretraining.watching import LossWatch
from snowcoder.tokenization.token_shards import TokenShards

# Not part of a result's identity: how often state is saved, and how often a record of progress is kept.
CHECKPOINT_INTERVAL_S = float(os.environ.get("SNOWCODER_CHECKPOINT_INTERVAL_S", "60"))
REPORT_EVERY_STEPS = 20

# (steps done, steps in all, token ids int64 [batch, sequence] -> mean loss as in training, device); must leave the model as it is
Observer = Callable[[int, int, Callable[[torch.Tensor], torch.Tensor], torch.device], None]


class TrainingParams(ParamsModel):
    """What all variants share.

    cpu_threads: torch threads on CPU (part of the arithmetic, hence a param); bf16: autocast; compile: torch.compile layer by layer.
    attention: transformers' implementation; sdpa is FlashAttention on GPU, eager is faster for short sequences on CPU (bench/RESULTS.md).
    micro_batch_sequences: sequences per forward pass; a batch is summed over micro-batches.
    weight_decay, adam_beta1, adam_beta2, max_gradient_norm: AdamW's; the paper names Adam only (weight_decay 0.0 is Adam).
    """

    cpu_threads: int = Field(gt=0)
    bf16: bool
    compile: bool
    attention: Literal["eager", "sdpa"]
    micro_batch_sequences: int = Field(gt=0)
    weight_decay: float = Field(ge=0)
    adam_beta1: float = Field(ge=0, lt=1)
    adam_beta2: float = Field(ge=0, lt=1)
    max_gradient_norm: float = Field(gt=0)


class PhaseParams(ParamsModel):
    """One variant's phase.

    tokens: horizon, counting repeats; batch_tokens: per optimizer step; seed: of the order of sequences; schedule: learning rate.
    """

    tokens: int = Field(gt=0)
    batch_tokens: int = Field(gt=0)
    seed: int
    schedule: ScheduleParams

    @model_validator(mode="after")
    def _at_least_one_step(self) -> "PhaseParams":
        if self.tokens < self.batch_tokens:
            raise ValueError(f"tokens {self.tokens} is less than one batch of batch_tokens {self.batch_tokens}")
        return self


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
    log: Callable[[LossPoint, Interval], None],
    provenance: Path | None = None,
    observe: Observer | None = None,
) -> list[LossPoint]:
    """Train `model` in place and return its loss curve.

    log: sees every REPORT_EVERY_STEPS-th point, and what was done since. provenance: tells the files of a batch (see watching).
    observe: is called in every process after each step.
    Called by every process of a launcher with the same arguments: they share each batch, and process 0 alone logs and checkpoints.
    """
    _check_data(data, model.config)
    batch_sequences = _batch_sequences(phase, shared, data.sequence_length)
    n_steps = phase.tokens // phase.batch_tokens
    accelerator = _accelerator(shared)
    model.set_attn_implementation(shared.attention)
    optimizer = make_optimizer(model, shared)
    curve: list[LossPoint] = []
    state = load_state(state_folder)
    if state is not None:
        curve = _restore(state, model, optimizer, state_folder)
        say(f"going on from step {len(curve)} of {n_steps}")
    model.train()
    wrapped, optimizer = accelerator.prepare(_Objective(model, shared.compile), optimizer)
    order, watch, pace = BatchOrder(data.n_sequences, batch_sequences, phase.seed), LossWatch(provenance), Pace(n_steps, len(curve))
    with _TerminationFlag() as termination, CheckpointWriter(state_folder) as checkpoints:
        saved_s = time.monotonic()
        for step in range(len(curve), n_steps):
            rate, indices = learning_rate(step, n_steps, phase.schedule), order.indices(step)
            result = _optimizer_step(wrapped, optimizer, accelerator, data, indices, rate, shared)
            watch.see(step + 1, result.train_loss, result.gradient_norm, indices.tolist())
            curve.append(LossPoint(step + 1, (step + 1) * phase.batch_tokens, rate, result.train_loss, result.gradient_norm))
            pace.step_done(phase.batch_tokens, result.input_wait_s)
            if observe is not None:
                observe(step + 1, n_steps, wrapped, accelerator.device)
            leaving = any_process(termination.requested)
            if accelerator.is_main_process:
                if (step + 1) % REPORT_EVERY_STEPS == 0 or step + 1 == n_steps:
                    log(curve[-1], pace.interval())
                if leaving or time.monotonic() - saved_s >= CHECKPOINT_INTERVAL_S:
                    checkpoints.save(len(curve), _state(model, optimizer, curve))
                    saved_s = time.monotonic()
                pace.tell(step + 1, result.train_loss)
            if leaving:
                raise SystemExit(128 + signal.SIGTERM)
    return curve


def make_optimizer(model: torch.nn.Module, shared: TrainingParams) -> torch.optim.AdamW:
    """AdamW, fused; weight decay on matrices only, as is usual for Llama (the paper says only `Adam`)."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": shared.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(shared.adam_beta1, shared.adam_beta2), fused=True)


class _Objective(torch.nn.Module):
    """token_ids int64 [batch, sequence] -> mean next-token loss; one forward, so that a data-parallel wrapper sees the loss."""

    def __init__(self, model: LlamaForCausalLM, compile_layers: bool) -> None:
        super().__init__()
        self.model = model
        if compile_layers:
            # layer by layer: whole-model compilation was seen to give different results in identical runs on CPU
            for layer in model.model.layers:
                layer.compile()

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        hidden = self.model.model(input_ids=token_ids, use_cache=False).last_hidden_state
        device = hidden.device.type
        if torch.is_autocast_enabled(device):  # the final norm gives float32; the output layer is a linear one like the others
            hidden = hidden.to(torch.get_autocast_dtype(device))
        with torch.autocast(device, enabled=False):
            return next_token_loss(hidden, self.model.lm_head.weight, token_ids)


def _optimizer_step(
    wrapped: torch.nn.Module,
    optimizer: Any,
    accelerator: Accelerator,
    data: TokenShards,
    indices: Any,
    rate: float,
    shared: TrainingParams,
) -> StepResult:
    for group in optimizer.param_groups:
        group["lr"] = rate
    own = own_sequences(indices, accelerator.process_index, accelerator.num_processes)
    micro_batches = [own[first : first + shared.micro_batch_sequences] for first in range(0, len(own), shared.micro_batch_sequences)]
    total, input_wait_s = torch.zeros((), device=accelerator.device), 0.0
    for number, micro_batch in enumerate(micro_batches, 1):
        asked_s = time.perf_counter()
        token_ids = torch.from_numpy(data.sequences(micro_batch).astype("int64")).to(accelerator.device)
        input_wait_s += time.perf_counter() - asked_s
        # gradients travel between processes once a step
        with nullcontext() if number == len(micro_batches) else accelerator.no_sync(wrapped):
            loss = wrapped(token_ids) * (len(micro_batch) / len(own))
            accelerator.backward(loss)
        total += loss.detach()
    gradient_norm = accelerator.clip_grad_norm_(wrapped.parameters(), shared.max_gradient_norm)
    assert gradient_norm is not None
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return StepResult(float(accelerator.reduce(total, "mean")), float(gradient_norm), input_wait_s)


def _batch_sequences(phase: PhaseParams, shared: TrainingParams, sequence_length: int) -> int:
    if phase.batch_tokens % sequence_length:
        raise ParameterError(
            f"params.yaml: pretrain: batch_tokens {phase.batch_tokens} is not a multiple of pack_tokens.sequence_length {sequence_length}"
        )
    return phase.batch_tokens // sequence_length


def _check_data(data: TokenShards, config: Any) -> None:
    if data.n_sequences == 0:
        raise EmptyResultError("pretrain: no packed sequence to train on; pack_tokens wrote none: give it more files, or shorter sequences")
    if data.sequence_length > config.max_position_embeddings:
        raise ParameterError(
            f"params.yaml: pack_tokens.sequence_length {data.sequence_length} is beyond the model's positions; "
            f"allowed: up to initialize_model.max_positions {config.max_position_embeddings}"
        )


def _accelerator(shared: TrainingParams) -> Accelerator:
    torch.set_num_threads(shared.cpu_threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    # it only shows reads of memory that was never written, at 3% of a training step
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    keep_freed_memory()
    n_processes = launched_processes()
    on_cpu = n_processes > 1 and not torch.cuda.is_available()  # untold, it was seen to run each process alone
    accelerator = Accelerator(cpu=on_cpu, mixed_precision="bf16" if shared.bf16 else "no")
    if accelerator.num_processes != n_processes:
        raise SnowcoderError(
            f"the launcher started {n_processes} processes, but {accelerator.num_processes} train together; "
            "start them by `accelerate launch` or torchrun"
        )
    return accelerator


def _state(model: LlamaForCausalLM, optimizer: Any, curve: list[LossPoint]) -> dict[str, Any]:
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "curve": [tuple(point) for point in curve]}


def _restore(state: dict[str, Any], model: LlamaForCausalLM, optimizer: torch.optim.Optimizer, folder: Path) -> list[LossPoint]:
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:  # torch's own kinds for names, shapes and parameter groups
        raise CheckpointError(
            f"{folder}: its checkpoint is of another model: {error}; remove the folder to train from the start"
        ) from error
    return [LossPoint(*point) for point in state["curve"]]


class _TerminationFlag:
    """SIGTERM asks for a checkpoint after the step at hand instead of ending the process in its midst.

    So does the death of the `dvc` that started this stage: it would run the stage again, beside an orphan. (A stage run by hand may
    outlive its shell.)
    """

    def __init__(self) -> None:
        self._signalled = False
        self._parent = os.getppid() if "DVC_ROOT" in os.environ else None

    @property
    def requested(self) -> bool:
        """Whether to leave."""
        return self._signalled or (self._parent is not None and os.getppid() != self._parent)

    def __enter__(self) -> "_TerminationFlag":
        self._previous = signal.signal(signal.SIGTERM, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._previous)

    def _request(self, *_: object) -> None:
        self._signalled = True

"""Predicts the cost of a pretraining phase: steps, FLOPs, hours, device memory, disk.

in: the shape of the model, the phase, a speed in FLOP/s   out: StagePlan

FLOPs are those of snowcoder.pretraining.watch.throughput. A speed is either measured (tokens/s of some steps) or taken as
peak x MFU.
Memory of one device: float32 weights, gradients and two moments of AdamW, a bf16 copy of the weights under autocast (18 bytes a parameter),
and the activations that backward needs, counted from what transformers' Llama saves per token and layer:
  34 h + 8 f bytes (norms in float32, the linear layers' inputs and outputs in bf16; h features, f FFN features),
  and with eager attention 8 heads x T for scores and their softmax (T tokens of a sequence);
  with activation checkpointing 4 h (a layer's input in float32), and the above for the one layer at work.
Sharded over n devices (FSDP), the 16 bytes in float32 are divided by n; whole at a time are the embedding and two layers, in the precision
of the arithmetic (the one at work, and the next being fetched).
"""

from dataclasses import dataclass

from snowcoder.planning.stage_plan import StagePlan
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.objective import CHUNK_TOKENS
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.throughput import PEAK_FLOPS, flops_per_token

# Dense bf16 FLOP/s of a device, from the vendors' data sheets (H100 and H200: SXM, without sparsity)
DEVICE_PEAK_FLOPS = {name.rpartition(" ")[2].lower(): peak for name, peak in PEAK_FLOPS.items()}
FLOAT32_BYTES, BF16_BYTES, TOKEN_BYTES = 4, 2, 2
KEPT_STATES = 2  # checkpoints of a run at a time: weights and two moments each


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes on one device."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations


def count_parameters(shape: ModelParams) -> int:
    """Parameters of the Llama of this shape, the tied embedding once."""
    return shape.vocab_size * shape.hidden_size + shape.layers * layer_parameters(shape) + shape.hidden_size


def layer_parameters(shape: ModelParams) -> int:
    """Parameters of one layer."""
    key_value = shape.hidden_size * shape.kv_heads // shape.heads
    attention = 2 * shape.hidden_size**2 + 2 * shape.hidden_size * key_value
    return attention + 3 * shape.hidden_size * shape.ffn_size + 2 * shape.hidden_size


def plan_memory(
    shape: ModelParams, shared: TrainingParams, sequence_length: int, n_shards: int = 1, activation_checkpointing: bool = False
) -> MemoryPlan:
    """Memory of one device at a micro-batch of shared.micro_batch_sequences. n_shards: devices that a model is spread over."""
    sharded = -(-count_parameters(shape) // n_shards)
    layer = activation_bytes_per_token_and_layer(shape, shared.attention, sequence_length)
    per_token = layer + shape.layers * FLOAT32_BYTES * shape.hidden_size if activation_checkpointing else shape.layers * layer
    logits = CHUNK_TOKENS * shape.vocab_size * (FLOAT32_BYTES + 2 * BF16_BYTES)
    return MemoryPlan(
        weights=sharded * FLOAT32_BYTES + _working_copy_bytes(shape, shared.bf16, n_shards),
        gradients=sharded * FLOAT32_BYTES,
        optimizer=sharded * 2 * FLOAT32_BYTES,
        activations=shared.micro_batch_sequences * sequence_length * per_token + logits,
    )


def _working_copy_bytes(shape: ModelParams, bf16: bool, n_shards: int) -> int:
    """Memory in addition to the float32 weights: autocast's copy of all, or of a sharded model what is gathered at a time."""
    if n_shards == 1:
        return count_parameters(shape) * BF16_BYTES if bf16 else 0
    gathered = shape.vocab_size * shape.hidden_size + 2 * layer_parameters(shape)
    return gathered * (BF16_BYTES if bf16 else FLOAT32_BYTES)


def activation_bytes_per_token_and_layer(shape: ModelParams, attention: str, sequence_length: int) -> int:
    """What backward needs of one token in one layer, under bf16 autocast and without recomputation."""
    scores = 8 * shape.heads * sequence_length if attention == "eager" else 0
    return 34 * shape.hidden_size + 8 * shape.ffn_size + scores


def plan_phase(
    variant: str, shape: ModelParams, phase: PhaseParams, sequence_length: int, tokens_per_second: float, n_devices: int = 1
) -> StagePlan:
    """The cost of a phase at a speed of all devices together. Its disk: packed tokens, the model, and the checkpoints while it runs."""
    n_parameters = count_parameters(shape)
    steps = phase.tokens // phase.batch_tokens
    tokens = steps * phase.batch_tokens
    flops = float(tokens) * flops_per_token(n_parameters, shape.layers, shape.hidden_size, sequence_length)
    disk = tokens * TOKEN_BYTES + n_parameters * FLOAT32_BYTES * (1 + 3 * KEPT_STATES)
    basis = f"{steps:,} steps of {phase.batch_tokens:,} tokens"
    return StagePlan(f"pretrain@{variant}", tokens, flops, tokens / tokens_per_second / 3600, disk, n_devices, basis)

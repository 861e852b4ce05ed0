"""The plan's arithmetic, checked by hand, against the models themselves, and against what backward really keeps."""

from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from snowcoder.planning.pretraining_cost import activation_bytes_per_token_and_layer, count_parameters, plan_memory, plan_phase
from snowcoder.pretraining.model import ModelParams, initialize, llama_config
from snowcoder.pretraining.schedule import ScheduleParams
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.throughput import flops_per_token

PAPER = ModelParams(
    vocab_size=64000, hidden_size=2048, ffn_size=5632, layers=24, heads=16, kv_heads=16, max_positions=8192, rope_base=10000.0, seed=1
)
SMALL = ModelParams(
    vocab_size=512, hidden_size=64, ffn_size=160, layers=3, heads=4, kv_heads=4, max_positions=128, rope_base=10000.0, seed=1
)
GROUPED = SMALL.model_copy(update={"kv_heads": 2})
PHASE = PhaseParams(
    tokens=499_998_785_536,
    batch_tokens=512 * 8192,
    seed=1,
    schedule=ScheduleParams(kind="cosine", peak_learning_rate=5.3e-4, final_learning_rate=5.3e-5, warmup_steps=600),
)
SHARED = TrainingParams(
    cpu_threads=1,
    bf16=True,
    compile=False,
    attention="sdpa",
    micro_batch_sequences=2,
    weight_decay=0.0,
    adam_beta1=0.9,
    adam_beta2=0.95,
    max_gradient_norm=1.0,
)


@pytest.mark.parametrize("shape", [PAPER, SMALL, GROUPED])
def test_counts_the_parameters_of_the_model(shape: ModelParams) -> None:
    with torch.device("meta"):
        model = LlamaForCausalLM(llama_config(shape))
    assert count_parameters(shape) == sum(parameter.numel() for parameter in model.parameters())


def test_the_papers_first_phase() -> None:
    # 30,000 tokens/s a device x 64; 6 x 1,364,297,728 + 12 x 24 x 2048 x 8192 = 13,017,624,576 FLOPs a token
    plan = plan_phase("general", PAPER, PHASE, sequence_length=8192, tokens_per_second=64 * 30_000.0)
    assert plan.basis == "119,209 steps of 4,194,304 tokens"
    assert plan.tokens == 499_998_785_536
    assert plan.flops == pytest.approx(499_998_785_536 * 13_017_624_576)
    assert plan.hours == pytest.approx(72.34, abs=0.01)
    assert plan.disk_bytes == 2 * plan.tokens + 7 * 4 * 1_364_297_728


def test_half_the_peak_of_an_h100_is_38_thousand_tokens_a_second() -> None:
    assert 0.5 * 989.4e12 / flops_per_token(count_parameters(PAPER), 24, 2048, 8192) == pytest.approx(38_002, abs=1)


def test_memory_of_the_papers_model_on_one_device() -> None:
    memory = plan_memory(PAPER, SHARED, 8192)
    assert (memory.weights, memory.gradients, memory.optimizer) == (6 * 1_364_297_728, 4 * 1_364_297_728, 8 * 1_364_297_728)
    assert memory.total == memory.weights + memory.gradients + memory.optimizer + memory.activations


def test_memory_of_the_papers_model_sharded_and_recomputed() -> None:
    whole, memory = plan_memory(PAPER, SHARED, 8192), plan_memory(PAPER, SHARED, 8192, n_shards=8, activation_checkpointing=True)
    eighth = 1_364_297_728 // 8
    # one layer: 4 x 2048^2 + 3 x 2048 x 5632 + 2 x 2048 = 51,384,320
    gathered = 64_000 * 2048 + 2 * 51_384_320
    assert (memory.weights, memory.gradients, memory.optimizer) == (4 * eighth + 2 * gathered, 4 * eighth, 8 * eighth)
    # a token: 24 inputs of 4 x 2048 bytes, and one layer of 34 x 2048 + 8 x 5632 = 114,688; before, 24 of these
    logits = 512 * 64_000 * 8
    assert memory.activations - logits == 2 * 8192 * (24 * 8192 + 114_688)
    assert whole.activations - logits == 2 * 8192 * 24 * 114_688


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_activations_are_what_backward_keeps(attention: str) -> None:
    sequence_length, batch = 128, 2
    model = initialize(SMALL)
    model.set_attn_implementation(attention)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    held: list[torch.Tensor] = []

    def hold(tensor: torch.Tensor) -> torch.Tensor:
        held.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor), torch.autocast("cpu", torch.bfloat16):
        model.model(input_ids=torch.randint(0, 512, (batch, sequence_length)), use_cache=False)
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in held}
    kept = sum(size for address, size in storages.items() if address not in weights)
    weight_copies = 2 * (count_parameters(SMALL) - SMALL.vocab_size * SMALL.hidden_size)
    planned = batch * sequence_length * SMALL.layers * activation_bytes_per_token_and_layer(SMALL, attention, sequence_length)
    assert planned == pytest.approx(kept - weight_copies, rel=0.15)


def test_every_profile_can_be_planned(repository_root: Path, tmp_path: Path) -> None:
    from tools.apply_profile import apply_profile
    from tools.plan import read_training

    for overlay in sorted((repository_root / "profiles").glob("*.yaml")):
        params = tmp_path / overlay.name
        params.write_text((repository_root / "params.yaml").read_text())
        apply_profile(overlay, params)
        found = read_training(params)
        assert plan_memory(found.shape, found.shared, found.sequence_length).total > 0
        assert all(plan_phase(name, found.shape, phase, found.sequence_length, 1000.0).hours > 0 for name, phase in found.phases.items())


def test_heads_of_an_odd_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"heads: found 4, which gives each 65 of hidden_size 260; allowed: an even share"):
        ModelParams(**SMALL.model_dump() | {"hidden_size": 260, "heads": 4, "kv_heads": 4})

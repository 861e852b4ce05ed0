"""The objective: activation checkpointing keeps less and changes no bit."""

import pytest
import torch

from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.objective import Objective

SHAPE = ModelParams(vocab_size=300, hidden_size=64, ffn_size=96, layers=4, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3)
TOKENS = torch.randint(0, 300, (2, 64), generator=torch.Generator().manual_seed(1))


def forward_and_backward(bf16: bool, checkpoint_activations: bool) -> tuple[float, list[torch.Tensor], int]:
    """(loss, gradients, bytes that forward kept for backward)."""
    torch.set_num_threads(1)
    model = initialize(SHAPE)
    model.set_attn_implementation("eager")
    objective = Objective(model.train(), bf16=bf16, compile_layers=False, checkpoint_activations=checkpoint_activations)
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = objective(TOKENS)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return loss.item(), gradients, sum(size for address, size in kept.items() if address not in weights)


@pytest.mark.parametrize("bf16", [False, True])
def test_activation_checkpointing_keeps_less_and_changes_no_bit(bf16: bool) -> None:
    loss, gradients, kept = forward_and_backward(bf16, checkpoint_activations=False)
    same_loss, same_gradients, kept_less = forward_and_backward(bf16, checkpoint_activations=True)
    assert same_loss == loss
    assert len(gradients) == 4 * 9 + 2
    for one, other in zip(gradients, same_gradients, strict=True):
        assert torch.equal(one, other)
    assert kept_less < kept / 4


def test_attention_crosses_documents_of_a_sequence() -> None:
    """The choice that README states: what a document costs depends on the one packed before it."""
    objective = Objective(initialize(SHAPE).eval(), bf16=False, compile_layers=False, checkpoint_activations=False)
    firsts, second = TOKENS[:, :20], TOKENS[:1, 20:40]
    costs = []
    with torch.inference_mode():
        for first in firsts:
            before = first[None]
            whole = objective(torch.cat([before, second], dim=1)).item() * 39
            costs.append(whole - objective(torch.cat([before, second[:, :1]], dim=1)).item() * 20)
        alone = objective(second).item() * 19
    assert abs(costs[0] - costs[1]) > 1e-3
    assert abs(costs[0] - alone) > 1e-3

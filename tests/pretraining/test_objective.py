"""Activation checkpointing saves memory and changes no bit; the loss matches torch's values and gradients, without whole logits."""

import os
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from snowcoder.pretraining import objective as objective_module
from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.objective import Objective, chunked_loss, fused_loss, has_fused_kernel, next_token_loss

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
    """The choice that docs/trust.md states: what a document costs depends on the one packed before it."""
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


@pytest.mark.parametrize("chunk_tokens", [1, 5, 7, 1000])
def test_equals_the_plain_loss_for_every_chunk_size(chunk_tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective_module, "CHUNK_TOKENS", chunk_tokens)
    torch.manual_seed(0)
    hidden = torch.randn(3, 6, 8, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 8, dtype=torch.float64, requires_grad=True)
    token_ids = torch.randint(0, 11, (3, 6))

    logits = functional.linear(hidden[:, :-1], weight)
    expected = functional.cross_entropy(logits.reshape(-1, 11), token_ids[:, 1:].reshape(-1))
    expected_gradients = torch.autograd.grad(expected, (hidden, weight))
    found = next_token_loss(hidden, weight, token_ids)
    found_gradients = torch.autograd.grad(found, (hidden, weight))

    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    for gradient, wanted in zip(found_gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-5, atol=1e-7)


class ProductCount(TorchDispatchMode):
    """Counts matrix products."""

    n_products = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.n_products += function.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm)
        return function(*args, **(kwargs or {}))


def test_without_gradients_it_is_the_same_loss_bit_for_bit_by_a_third_of_the_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective_module, "CHUNK_TOKENS", 4)
    torch.manual_seed(0)
    hidden, weight = torch.randn(2, 9, 8, requires_grad=True), torch.randn(11, 8, requires_grad=True)
    token_ids = torch.randint(0, 11, (2, 9))
    with ProductCount() as training:
        trained = next_token_loss(hidden, weight, token_ids)
    with torch.no_grad(), ProductCount() as alone:
        found = next_token_loss(hidden, weight, token_ids)
    assert found.item() == trained.item()
    assert (alone.n_products, training.n_products) == (4, 12)  # 16 targets in chunks of 4


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary() -> None:
    found = next_token_loss(torch.zeros(1, 4, 8), torch.zeros(32, 8), torch.zeros(1, 4, dtype=torch.int64))
    assert found.item() == pytest.approx(3.4657359)  # ln 32


class LargestTensor(TorchDispatchMode):
    """Notes the elements of the largest tensor that any operation gives."""

    n_elements = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.n_elements = max(self.n_elements, result.numel())
        return result


def test_logits_never_stand_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective_module, "CHUNK_TOKENS", 16)
    hidden, weight = torch.randn(2, 129, 8, requires_grad=True), torch.randn(500, 8, requires_grad=True)
    with LargestTensor() as largest:
        next_token_loss(hidden, weight, torch.randint(0, 500, (2, 129))).backward()
    assert largest.n_elements == 16 * 500  # of 256 * 500


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
needs_liger = pytest.mark.skipif(not has_fused_kernel(), reason="needs liger-kernel (extra gpu)")
# Triton's interpreter runs the kernel on a CPU, in a minute: TRITON_INTERPRET=1 pytest -m gpu tests/pretraining/test_objective.py
runs_kernels = pytest.mark.skipif(
    not torch.cuda.is_available() and os.environ.get("TRITON_INTERPRET") != "1", reason="needs a CUDA device, or TRITON_INTERPRET=1"
)


@pytest.mark.gpu
@runs_kernels
@needs_liger
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 2e-2)])
def test_the_fused_kernel_gives_our_loss_and_gradients(dtype: torch.dtype, tolerance: float) -> None:
    device, (n_targets, features, vocabulary) = ("cuda", (1000, 256, 3001)) if torch.cuda.is_available() else ("cpu", (50, 64, 301))
    torch.manual_seed(0)
    states = torch.randn(n_targets, features, device=device, dtype=dtype, requires_grad=True)
    weight = torch.randn(vocabulary, features, device=device, requires_grad=True)
    targets = torch.randint(0, vocabulary, (n_targets,), device=device)
    expected = torch.autograd.grad(ours := chunked_loss(states, weight, targets), (states, weight))
    found = torch.autograd.grad(fused := fused_loss(states, weight, targets), (states, weight))
    torch.testing.assert_close(fused, ours, rtol=tolerance, atol=0)
    for gradient, wanted in zip(found, expected, strict=True):
        assert gradient.dtype == wanted.dtype
        assert (gradient - wanted).norm() <= tolerance * wanted.norm()


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("loss", [chunked_loss, pytest.param(fused_loss, marks=needs_liger)])
def test_the_papers_vocabulary_at_8192_tokens_needs_less_than_its_logits(loss: Any) -> None:
    states = torch.randn(8192, 2048, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(64_000, 2048, device="cuda", requires_grad=True)
    targets = torch.randint(0, 64_000, (8192,), device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    loss(states, weight, targets).backward()
    gradients = weight.numel() * 4 + states.numel() * 2
    copies = 3 * weight.numel() * 4  # of the weight and its gradient, in bfloat16 and float32, while they are summed
    assert torch.cuda.max_memory_allocated() - before < gradients + copies + 8192 * 64_000 * 2

"""The training objective: from token ids to the loss in one forward pass, so that a data-parallel wrapper sees all of the model.

in: token_ids int64 [batch, sequence]   out: mean next-token loss in nats per token, a float32 scalar

The logits of a whole batch, 8,192 x 64,000 of them, are never in memory: the loss and the gradients of the last hidden state and of the
output embedding are computed chunk by chunk in the forward pass, with [chunk_tokens, vocabulary] logits at a time. On a GPU with
liger-kernel (extra `gpu`) its fused kernel does that; elsewhere one fused softmax of torch gives both the loss and, less the one-hot
targets, the gradient. Measured in the whole step: see LOG.md. Under torch.no_grad only the loss is computed, on every device.
"""

from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaForCausalLM

CHUNK_TOKENS = 512


class Objective(torch.nn.Module):
    """bf16: autocast of the matrix products; compile_layers: torch.compile, layer by layer.

    checkpoint_activations: backward computes a layer's activations again; the same arithmetic, hence the same result.
    """

    def __init__(self, model: LlamaForCausalLM, *, bf16: bool, compile_layers: bool, checkpoint_activations: bool) -> None:
        super().__init__()
        self.model = model
        self._bf16 = bf16
        if checkpoint_activations:  # the model draws no random numbers, so that their state need not be kept
            model.gradient_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": False})
        if compile_layers:
            # layer by layer: whole-model compilation gave different results in identical runs on the CPU
            for layer in model.model.layers:
                layer.compile()

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        device = token_ids.device.type
        with torch.autocast(device, torch.bfloat16) if self._bf16 else nullcontext():
            hidden = self.model.model(input_ids=token_ids, use_cache=False).last_hidden_state
        if self._bf16:  # the final norm gives float32; the output layer is a linear one like the others
            hidden = hidden.to(torch.bfloat16)
        return next_token_loss(hidden, self.model.lm_head.weight, token_ids)


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk_tokens: int, with_gradients: bool) -> Tensor:
        compute_weight = weight.to(hidden.dtype)
        grad_hidden = torch.empty_like(hidden) if with_gradients else None
        grad_weight = torch.zeros_like(weight) if with_gradients else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, targets.numel(), chunk_tokens):
            states = hidden[start : start + chunk_tokens]
            labels = targets[start : start + chunk_tokens, None]
            log_probabilities = torch.log_softmax(states @ compute_weight.T, dim=1, dtype=torch.float32)
            total -= log_probabilities.gather(1, labels).sum()
            if grad_hidden is None or grad_weight is None:
                continue
            # softmax minus one-hot, in place
            gradient = log_probabilities.exp_()
            gradient.scatter_add_(1, labels, torch.full_like(labels, -1, dtype=gradient.dtype))
            compute_gradient = gradient.to(hidden.dtype)
            torch.mm(compute_gradient, compute_weight, out=grad_hidden[start : start + chunk_tokens])
            grad_weight += compute_gradient.T @ states
        ctx.save_for_backward(grad_hidden, grad_weight)
        ctx.n_targets = targets.numel()
        return total / ctx.n_targets

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        grad_hidden, grad_weight = ctx.saved_tensors
        scale = grad_outputs[0] / ctx.n_targets
        return grad_hidden * scale.to(grad_hidden.dtype), grad_weight * scale, None, None, None


def next_token_loss(hidden: Tensor, weight: Tensor, token_ids: Tensor) -> Tensor:
    """Mean cross-entropy in nats of predicting token t+1 from the state at t; the arithmetic of the products is that of `hidden`.

    hidden: [batch, sequence, features]; weight: [vocabulary, features] (float32 master copy); token_ids: int64 [batch, sequence].
    The last position of each sequence predicts nothing: batch * (sequence - 1) targets.
    """
    states, targets = hidden[:, :-1].reshape(-1, hidden.shape[-1]), token_ids[:, 1:].reshape(-1)
    fused = hidden.is_cuda and has_fused_kernel() and torch.is_grad_enabled()
    return fused_loss(states, weight, targets) if fused else chunked_loss(states, weight, targets)


def chunked_loss(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """The same of states [targets, features] and targets int64 [targets], by torch's own operations, on any device."""
    return _ChunkedCrossEntropy.apply(states, weight, targets, CHUNK_TOKENS, torch.is_grad_enabled())


def fused_loss(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """The same by liger-kernel (arXiv 2410.10989), on a GPU. Gradients are summed in float32, and rounded once to the type of `states`."""
    from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss

    loss: Tensor = LigerFusedLinearCrossEntropyLoss(accum_dtype=torch.float32)(weight.to(states.dtype), states, targets)
    return loss


@cache
def has_fused_kernel() -> bool:
    """Whether liger-kernel is installed."""
    return find_spec("liger_kernel") is not None

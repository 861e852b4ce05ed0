"""What is trained: tokens to loss, in one forward pass, so that a wrapper of the model over several processes sees all of it.

in: token_ids int64 [batch, sequence]   out: mean next-token loss in nats per token, a float32 scalar
"""

from contextlib import nullcontext

import torch
from transformers import LlamaForCausalLM

from snowcoder.pretraining.loss import next_token_loss


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
            # layer by layer: whole-model compilation was seen to give different results in identical runs on CPU
            for layer in model.model.layers:
                layer.compile()

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        device = token_ids.device.type
        with torch.autocast(device, torch.bfloat16) if self._bf16 else nullcontext():
            hidden = self.model.model(input_ids=token_ids, use_cache=False).last_hidden_state
        if self._bf16:  # the final norm gives float32; the output layer is a linear one like the others
            hidden = hidden.to(torch.bfloat16)
        return next_token_loss(hidden, self.model.lm_head.weight, token_ids)

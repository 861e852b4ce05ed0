"""Decodes one left-padded batch, from which finished rows are removed: greedily, or by sampling.

Shapes: B rows, L longest prompt, N new tokens at most. Left padding puts every row's last prompt token in the same column; positions count
from a row's first real token, and padding is masked, so that a row's arithmetic is that of its unpadded prompt.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# (logits [B, V], number of each row in the batch as it was given) -> token ids [B, 1]
Chooser = Callable[[torch.Tensor, Sequence[int]], torch.Tensor]
CHECK_EVERY_TOKENS = 8  # looking for stop strings costs a detokenisation; a row may go this far beyond its stop


def most_likely(logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
    """Greedy decoding."""
    return logits.argmax(dim=-1, keepdim=True)


def nucleus_chooser(seeds: Sequence[int], temperature: float, top_p: float) -> Chooser:
    """Draws from the most likely tokens that together hold `top_p` (Holtzman et al. 2020, arXiv 1904.09751), at `temperature` > 0.

    seeds: one per row of the batch: a row's draws depend on its own seed alone, not on the batch that it is in.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def choose(logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        ordered, ids = (logits.float() / temperature).softmax(dim=-1).cpu().sort(dim=-1, descending=True, stable=True)
        ordered[ordered.cumsum(dim=-1) - ordered >= top_p] = 0.0
        drawn = [torch.multinomial(part, 1, generator=generators[row]) for part, row in zip(ordered, rows, strict=True)]
        return ids.gather(1, torch.stack(drawn)).to(logits.device)

    return choose


@torch.inference_mode()
def decode_batch(
    model: "PreTrainedModel",
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    is_finished: Callable[[list[int]], bool],
    choose: Chooser = most_likely,
) -> list[list[int]]:
    """Up to `max_new_tokens` new tokens for each prompt (ids, at least one).

    is_finished(new tokens of a row) is asked every CHECK_EVERY_TOKENS; a row for which it holds gets no more tokens. The batch ends when
    all rows have finished.
    """
    # [B, L], [B, L + N], [B, L + N]
    tokens, mask, positions = _left_padded(prompts, max_new_tokens, model.device)
    cache = PreallocatedCache(model.config.num_hidden_layers, mask.shape[1])
    generated: list[list[int]] = [[] for _ in prompts]
    active = list(range(len(prompts)))
    inputs, start, end = tokens, 0, tokens.shape[1]
    for step in range(1, max_new_tokens + 1):
        # logits of the last column only: [B, 1, V]
        logits = model(
            input_ids=inputs,
            attention_mask=mask[:, :end],
            position_ids=positions[:, start:end],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        inputs = choose(logits[:, -1], active)
        for row, token in zip(active, inputs[:, 0].tolist(), strict=True):
            generated[row].append(token)
        start, end = end, end + 1
        if step % CHECK_EVERY_TOKENS == 0:
            going = [place for place, row in enumerate(active) if not is_finished(generated[row])]
            if not going:
                break
            if len(going) < len(active):
                active = [active[place] for place in going]
                kept = torch.tensor(going, device=model.device)
                inputs, mask, positions = inputs[kept], mask[kept], positions[kept]
                cache.keep_rows(kept)
    return generated


def _left_padded(
    prompts: Sequence[Sequence[int]], max_new_tokens: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(tokens int64 [B, L], mask int64 [B, L + N], positions int64 [B, L + N])."""
    longest = max(len(prompt) for prompt in prompts)
    tokens = torch.zeros((len(prompts), longest), dtype=torch.int64)
    mask = torch.ones((len(prompts), longest + max_new_tokens), dtype=torch.int64)
    for row, prompt in enumerate(prompts):
        padding = longest - len(prompt)
        tokens[row, padding:] = torch.tensor(list(prompt), dtype=torch.int64)
        mask[row, :padding] = 0
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    return tokens.to(device), mask.to(device), positions.to(device)


class PreallocatedLayer(DynamicLayer):
    """Keys and values of one layer, [batch, heads, capacity, head_dim] each; the first `length` positions are filled."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take the room, at the first token."""
        self.dtype, self.device = key_states.dtype, key_states.device
        states = (key_states, value_states)
        self.keys, self.values = (one.new_empty((*one.shape[:2], self.capacity, one.shape[-1])) for one in states)
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Append, and return views of all that is filled."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        end = self.length + key_states.shape[-2]
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        """Filled positions."""
        return self.length


class PreallocatedCache(Cache):
    """A key-value cache whose room is taken once: one layer of room per layer of the model.

    DynamicCache copies all keys and values at every token; StaticCache attends over its whole length, filled or not. This one writes in
    place and hands out a view of what is filled. Measured in generating 64 tokens for HumanEval's 164 prompts (7M parameters, batches of
    16, one core, processor seconds): 17.1 dynamic, 15.4 static, 13.6 this.
    """

    def __init__(self, n_layers: int, capacity: int) -> None:
        self._rooms = [PreallocatedLayer(capacity) for _ in range(n_layers)]
        super().__init__(layers=list(self._rooms))

    def keep_rows(self, rows: torch.Tensor) -> None:
        """Keep only these rows of the batch, in this order. rows: int64 [n]."""
        for layer in self._rooms:
            layer.batch_select_indices(rows)

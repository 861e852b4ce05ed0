"""Training steps per second: the chunked loss against transformers' own, same model, batch and data, in turns in one process.

`python -m bench.loss` prints tokens/s of each and, last, `ratio <ours / transformers>`.
"""

import statistics
import time
from collections.abc import Callable

import torch
from transformers import LlamaForCausalLM

from snowcoder.params import load_item, load_section
from snowcoder.pretraining.loop import TrainingParams, make_optimizer
from snowcoder.pretraining.loss import next_token_loss
from snowcoder.pretraining.model import ModelParams, initialize
from stages.pretrain import VariantParams

SEQUENCE_LENGTH = 256
ROUNDS = 5
STEPS_PER_ROUND = 6


def chunked(model: LlamaForCausalLM, token_ids: torch.Tensor) -> torch.Tensor:
    """As the training loop computes it."""
    hidden = model.model(input_ids=token_ids, use_cache=False).last_hidden_state
    with torch.autocast("cpu", enabled=False):
        return next_token_loss(hidden, model.lm_head.weight, token_ids)


def plain(model: LlamaForCausalLM, token_ids: torch.Tensor) -> torch.Tensor:
    """As transformers computes it from `labels`."""
    return model(input_ids=token_ids, labels=token_ids, use_cache=False).loss


def tokens_per_second(
    loss: Callable[[LlamaForCausalLM, torch.Tensor], torch.Tensor], model: LlamaForCausalLM, token_ids: torch.Tensor
) -> float:
    """Rate over STEPS_PER_ROUND whole optimizer steps."""
    shared, _ = load_item("pretrain", "general", TrainingParams, VariantParams)
    optimizer = make_optimizer(model, shared)
    started = time.perf_counter()
    for _ in range(STEPS_PER_ROUND):
        with torch.autocast("cpu", torch.bfloat16):
            value = loss(model, token_ids)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    return STEPS_PER_ROUND * token_ids.numel() / (time.perf_counter() - started)


def main() -> None:
    """Measure in turns and print the medians."""
    shared, phase = load_item("pretrain", "general", TrainingParams, VariantParams)
    torch.set_num_threads(shared.cpu_threads)
    torch.use_deterministic_algorithms(True)
    model = initialize(load_section("initialize_model", ModelParams))
    token_ids = torch.randint(0, model.config.vocab_size, (phase.batch_tokens // SEQUENCE_LENGTH, SEQUENCE_LENGTH))
    losses = {"ours": chunked, "transformers": plain}
    rates: dict[str, list[float]] = {name: [] for name in losses}
    for loss in losses.values():
        tokens_per_second(loss, model, token_ids)  # warm-up
    for _ in range(ROUNDS):
        for name, loss in losses.items():
            rates[name].append(tokens_per_second(loss, model, token_ids))
    for name, values in rates.items():
        print(f"{name}: {statistics.median(values):.0f} tokens/s (from {min(values):.0f} to {max(values):.0f})")
    print(f"ratio {statistics.median(rates['ours']) / statistics.median(rates['transformers']):.2f}")


if __name__ == "__main__":
    main()

"""The chunked loss against torch's own cross-entropy, value and gradients."""

import pytest
import torch
from torch.nn import functional

from snowcoder.pretraining import loss as loss_module
from snowcoder.pretraining.loss import next_token_loss


@pytest.mark.parametrize("chunk_tokens", [1, 5, 7, 1000])
def test_equals_the_plain_loss_for_every_chunk_size(chunk_tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_TOKENS", chunk_tokens)
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


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary() -> None:
    found = next_token_loss(torch.zeros(1, 4, 8), torch.zeros(32, 8), torch.zeros(1, 4, dtype=torch.int64))
    assert found.item() == pytest.approx(3.4657359)  # ln 32

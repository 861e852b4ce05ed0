"""Tokens per second and model FLOPs, seen from outside the loop.

FLOPs per token = 6 N + 12 L d T (N parameters with embeddings, L layers, d hidden size, T sequence length): the formula of
llm-foundry's MFU tables (PaLM, arXiv 2204.02311, appendix B). MFU = tokens/s * FLOPs per token / peak FLOP/s of the device.
"""

import time


def flops_per_token(n_parameters: int, layers: int, hidden_size: int, sequence_length: int) -> int:
    """Model FLOPs (forward and backward) per trained token."""
    return 6 * n_parameters + 12 * layers * hidden_size * sequence_length


class Throughput:
    """Tokens per second between two calls."""

    def __init__(self) -> None:
        self._last_time_s = time.monotonic()
        self._last_tokens = 0

    def tokens_per_second(self, tokens_seen: int) -> float:
        """Rate since the last call (or since construction)."""
        now_s = time.monotonic()
        rate = (tokens_seen - self._last_tokens) / max(now_s - self._last_time_s, 1e-9)
        self._last_time_s, self._last_tokens = now_s, tokens_seen
        return rate

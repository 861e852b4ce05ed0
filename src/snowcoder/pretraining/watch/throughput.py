"""Computes tokens per second, model FLOPs and MFU of a running training.

FLOPs per token = 6 N + 12 L d T (N parameters with embeddings, L layers, d hidden size, T sequence length): the formula of
llm-foundry's MFU tables (PaLM, arXiv 2204.02311, appendix B). MFU = tokens/s * FLOPs per token / peak FLOP/s of the device.
"""

from typing import NamedTuple

from snowcoder.pipeline.accelerator import device_type

# bf16 without sparsity, from NVIDIA's data sheets; by the beginning of the device's name
PEAK_FLOPS = {"NVIDIA A100": 312e12, "NVIDIA H100": 989.4e12, "NVIDIA H200": 989.4e12, "NVIDIA B200": 2250e12}


def flops_per_token(n_parameters: int, layers: int, hidden_size: int, sequence_length: int) -> int:
    """Model FLOPs (forward and backward) per trained token."""
    return 6 * n_parameters + 12 * layers * hidden_size * sequence_length


def device_name() -> str:
    """The accelerator's name as torch gives it, or `cpu`."""
    import torch

    return torch.cuda.get_device_name() if device_type() == "cuda" else "cpu"


def peak_flops(device_name: str) -> float | None:
    """FLOP/s of a device by its name, such as torch gives it; None for one whose peak is not in the table (every CPU)."""
    return next((peak for name, peak in PEAK_FLOPS.items() if device_name.startswith(name)), None)


class Interval(NamedTuple):
    """What this process has done since its last report. input_wait_s: how long its steps waited for their tokens."""

    tokens: int
    elapsed_s: float
    input_wait_s: float


def throughput_metrics(interval: Interval, flops_per_trained_token: int, device_name: str, n_devices: int) -> dict[str, float]:
    """Tokens per second of all devices, model FLOP/s, the share of time spent waiting for tokens, and MFU where the peak is known."""
    rate = interval.tokens / max(interval.elapsed_s, 1e-9)
    found = {
        "tokens_per_second": rate,
        "model_flops_per_second": rate * flops_per_trained_token,
        "input_wait_fraction": interval.input_wait_s / max(interval.elapsed_s, 1e-9),
    }
    peak = peak_flops(device_name)
    return found | ({"mfu": rate * flops_per_trained_token / (n_devices * peak)} if peak else {})

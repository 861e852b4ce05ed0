"""How fast devices do each kind of work: from a published share of their peak, or as measured (measured_speeds.py).

A speed is in model FLOP/s of one device; model FLOPs count what the mathematics asks for, not what is recomputed. The shares:

training  37.7%: llm-foundry's table of H100s at bf16, its 1B model (1,328,533,504 parameters, 24 layers of 2048) at 8,192 tokens: 29,157
          tokens/s a device, 8 devices, fully sharded, no activation checkpointing, micro-batches of 3
          (github.com/mosaicml/llm-foundry, scripts/train/benchmarking/README.md). At 2,048 tokens the same model falls from 41.8% on 8
          devices to 40.9% on 64, so that the plan takes speed to grow with the number of devices.
encoding  10%: FineWeb-Edu's card says 6,000 H100 hours for 15T tokens by an encoder of this kind (12 layers of 768): 13.2% if every
          token had been read; the longer texts were cut at 512 (huggingface.co/datasets/HuggingFaceFW/fineweb-edu).
decoding  12.3%: 1,727.7 tokens/s written by Llama-3.1-70B in FP8 on two H100s with vLLM 0.5.4, whose successor is said to double that
          (github.com/LambdaLabsML/vllm-benchmark, benchmark_v0.md).
"""

from typing import NamedTuple

from snowcoder.planning.pretraining_cost import DEVICE_PEAK_FLOPS

TRAINING_MFU = 0.377
ENCODING_UTILISATION = 0.10
DECODING_UTILISATION = 0.123
# Ours, not measured: transformers' decoding waits for Python; milliseconds a layer and token, whatever the batch
DECODE_LAYER_S = 1e-3
# Of one device, from the vendors' data sheets
DEVICE_MEMORY_BYTES = {"a100": 80e9, "h100": 80e9, "h200": 141e9, "b200": 180e9}


class Speeds(NamedTuple):
    """FLOP/s of one device by kind of work; a pass without gradients counts as training. n_devices: that train together.

    decode_layer_s: least time of a layer and token where transformers decodes. origin: for the reader.
    """

    training: float
    encoding: float
    decoding: float
    decode_layer_s: float
    n_devices: int
    origin: str


def published_speeds(device: str, n_devices: int, mfu: float) -> Speeds:
    """Of `n_devices` whose peak is in DEVICE_PEAK_FLOPS."""
    peak = DEVICE_PEAK_FLOPS[device]
    origin = f"{n_devices} x {device}, peak {peak / 1e12:,.1f} TFLOP/s (bf16, dense), {mfu:.1%} of it in training"
    return Speeds(peak * mfu, peak * ENCODING_UTILISATION, peak * DECODING_UTILISATION, DECODE_LAYER_S, n_devices, origin)

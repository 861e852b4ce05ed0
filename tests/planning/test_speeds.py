"""The published figures behind the speeds, recomputed from their sources."""

import pytest

from snowcoder.planning.speeds import DECODING_UTILISATION, TRAINING_MFU, published_speeds
from snowcoder.pretraining.watch.throughput import flops_per_token


def test_mfu_is_what_llm_foundry_prints_for_its_1b_model() -> None:
    # its row: 1,328,533,504 parameters, 24 layers of 2048, 8,192 tokens, 29,157 tokens/s a device, 37.73%
    assert 29_157 * flops_per_token(1_328_533_504, 24, 2048, 8192) / 989.4e12 == pytest.approx(0.3773, abs=1e-4)
    assert pytest.approx(0.3773, abs=5e-4) == TRAINING_MFU


def test_decoding_is_what_was_measured_for_llama_70b_on_two_h100s() -> None:
    # 1,727.69 tokens/s written on two devices, 70.6e9 parameters
    assert pytest.approx(DECODING_UTILISATION, abs=5e-4) == 1_727.69 / 2 * 2 * 70.6e9 / 989.4e12


def test_speeds_are_of_one_device() -> None:
    one, eight = published_speeds("h100", 1, 0.5), published_speeds("h100", 8, 0.5)
    assert one.training == eight.training == 989.4e12 * 0.5
    assert eight.n_devices == 8

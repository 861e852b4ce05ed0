import pytest

from snowcoder.pretraining.watch.throughput import Interval, flops_per_token, peak_flops, throughput_metrics


def test_half_the_peak_of_an_h100() -> None:
    # the paper's model at 8,192: 38 k tokens/s are half of 989.4 TFLOP/s
    per_token = flops_per_token(1_364_297_728, 24, 2048, 8192)
    found = throughput_metrics(Interval(76_000, 2.0, 0.01), per_token, "NVIDIA H100 80GB HBM3", 1)
    assert found["tokens_per_second"] == 38_000
    assert found["mfu"] == pytest.approx(0.5, abs=0.01)
    assert found["input_wait_fraction"] == 0.005
    assert throughput_metrics(Interval(76_000, 2.0, 0.0), per_token, "NVIDIA H100 80GB HBM3", 2)["mfu"] == pytest.approx(found["mfu"] / 2)


def test_without_a_known_peak_there_is_no_mfu() -> None:
    assert peak_flops("cpu") is None
    assert "mfu" not in throughput_metrics(Interval(10, 1.0, 0.0), 6, "cpu", 1)

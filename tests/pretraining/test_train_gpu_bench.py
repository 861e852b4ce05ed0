"""The sweep's table of configurations, without a GPU: the paper's model on the meta device, and its planned memory."""

import pytest
import torch
from transformers import LlamaForCausalLM

from bench.train_gpu import ATTENTION, CONFIGURATIONS, STEP_SEQUENCES, Configuration, main, planned_bytes, read_profile, row
from snowcoder.pretraining.model import llama_config


def test_trains_the_papers_model() -> None:
    shape, shared, _, sequence_length = read_profile("paper")
    with torch.device("meta"):
        model = LlamaForCausalLM(llama_config(shape))
    assert sum(parameter.numel() for parameter in model.parameters()) == 1_364_297_728
    assert (sequence_length, shared.bf16, shared.attention) == (8192, True, "sdpa")


def test_every_configuration_is_there_once_and_divides_a_step() -> None:
    assert len({configuration.name for configuration in CONFIGURATIONS}) == 4 * 2 * len(ATTENTION) == len(CONFIGURATIONS)
    assert all(STEP_SEQUENCES % configuration.micro_batch == 0 for configuration in CONFIGURATIONS)


def test_planned_memory_grows_with_the_micro_batch_and_falls_with_checkpointing() -> None:
    shape, shared, _, sequence_length = read_profile("paper")
    planned = {configuration: planned_bytes(configuration, shape, shared, sequence_length) for configuration in CONFIGURATIONS}
    kept = 18 * 1_364_297_728  # weights in float32 and bfloat16, gradients, two moments
    assert all(size > kept for size in planned.values())
    for attention in ATTENTION:
        assert planned[Configuration(8, True, attention)] < planned[Configuration(2, False, attention)]
        assert planned[Configuration(1, False, attention)] < planned[Configuration(2, False, attention)]


def test_rows_of_the_table() -> None:
    found = {"tokens_per_second": 29_200.4, "mfu": 0.3766, "peak_gib": 61.23}
    assert row(Configuration(2, True, "flash"), found) == "| 2-checkpointing-flash | 29,200 | 37.7% | 61.2 |"
    assert row(Configuration(8, False, "cudnn"), {"fault": "out of memory"}) == "| 8-keeping-cudnn | - | - | out of memory |"


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no CUDA device")
def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train_gpu"])
    with pytest.raises(SystemExit, match="torch sees no GPU here"):
        main()

"""Training: resumes exactly after kills at any step, learns, and reports faulty parameters."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from pydantic import ValidationError

from snowcoder.errors import CheckpointError, EmptyResultError, ParameterError, ShardError, TrainingError
from snowcoder.pretraining.loop import LossPoint, train
from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.schedule import ScheduleParams
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams

MODEL = ModelParams(vocab_size=300, hidden_size=32, ffn_size=48, layers=2, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3)
SHARED = TrainingParams(
    cpu_threads=1,
    bf16=True,
    compile=False,
    attention="eager",
    micro_batch_sequences=2,
    weight_decay=0.0,
    adam_beta1=0.9,
    adam_beta2=0.95,
    max_gradient_norm=1.0,
)
PHASE = PhaseParams(
    tokens=16 * 4 * 12,
    batch_tokens=16 * 4,
    seed=5,
    schedule=ScheduleParams(kind="cosine", peak_learning_rate=3e-3, final_learning_rate=3e-4, warmup_steps=2),
)


class CountingData:
    """Packed tokens that count upwards, in the shape of TokenShards: easy to learn."""

    n_sequences = 10
    sequence_length = 16
    n_tokens = 160

    def sequences(self, indices: np.ndarray) -> np.ndarray:
        return ((np.asarray(indices)[:, None] * 7 + np.arange(self.sequence_length)) % 300).astype(np.uint16)


class DyingData(CountingData):
    """The same data, which ends the run (as a kill would) when it is asked for batch number `fatal_batch`."""

    def __init__(self, fatal_batch: int) -> None:
        self.remaining = fatal_batch

    def sequences(self, indices: np.ndarray) -> np.ndarray:
        if self.remaining == 0:
            raise KeyboardInterrupt
        self.remaining -= 1
        return super().sequences(indices)


def run(data: CountingData, state: Path) -> tuple[torch.nn.Module, list[LossPoint]]:
    model = initialize(MODEL)
    return model, train(model, data, SHARED, PHASE, state)  # type: ignore[arg-type]


def assert_equal_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    for (name, first), (_, second) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(first, second), name


def test_killed_three_times_equals_uninterrupted_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, whole_curve = run(CountingData(), tmp_path / "whole")
    monkeypatch.setenv("SNOWCODER_CHECKPOINT_INTERVAL_S", "0")
    for fatal_batch in (5, 9, 4):  # mid-step too: two micro-batches make a step
        with pytest.raises(KeyboardInterrupt):
            run(DyingData(fatal_batch), tmp_path / "killed")
    killed, killed_curve = run(CountingData(), tmp_path / "killed")
    assert_equal_weights(whole, killed)
    assert whole_curve == killed_curve


def test_a_torn_checkpoint_falls_back_to_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = run(CountingData(), tmp_path / "whole")
    monkeypatch.setenv("SNOWCODER_CHECKPOINT_INTERVAL_S", "0")
    with pytest.raises(KeyboardInterrupt):
        run(DyingData(9), tmp_path / "torn")
    newest = max((tmp_path / "torn").glob("step-*.pt"))
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed, _ = run(CountingData(), tmp_path / "torn")
    assert_equal_weights(whole, resumed)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    _, curve = run(CountingData(), tmp_path)
    assert len(curve) == 12
    assert curve[-1].tokens == PHASE.tokens
    assert curve[-1].train_loss < curve[0].train_loss - 0.2


def test_batch_that_is_no_multiple_of_the_sequence_length_is_refused(tmp_path: Path) -> None:
    phase = PHASE.model_copy(update={"batch_tokens": 50})
    with pytest.raises(ParameterError, match=r"batch_tokens 50 is not a multiple of pack_tokens\.sequence_length 16"):
        train(initialize(MODEL), CountingData(), SHARED, phase, tmp_path)  # type: ignore[arg-type]


def test_initial_weights_are_the_same_in_every_process(repository_root: Path) -> None:
    script = (
        "from snowcoder.pretraining.model import *\n"
        f"model = initialize(ModelParams.model_validate({MODEL.model_dump()!r}))\n"
        "import hashlib, torch\n"
        "print(hashlib.sha256(b''.join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest())"
    )
    environment = os.environ | {"PYTHONPATH": str(repository_root / "src")}
    digests = {
        subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True).stdout for _ in range(2)
    }
    assert len(digests) == 1


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_CHECKPOINT_INTERVAL_S", "0")
    run(CountingData(), tmp_path)
    wider = initialize(MODEL.model_copy(update={"ffn_size": 64}))
    with pytest.raises(CheckpointError, match=r"(?s)the checkpoint is from another model: .*mlp"):
        train(wider, CountingData(), SHARED, PHASE, tmp_path)  # type: ignore[arg-type]


def test_no_sequence_is_refused(tmp_path: Path) -> None:
    data = CountingData()
    data.n_sequences = 0
    with pytest.raises(EmptyResultError, match="no packed sequences to train on"):
        run(data, tmp_path)


def test_sequences_beyond_the_positions_of_the_model_are_refused(tmp_path: Path) -> None:
    short = initialize(MODEL.model_copy(update={"max_positions": 8}))
    with pytest.raises(ParameterError, match=r"sequence_length 16 is beyond .*max_positions 8"):
        train(short, CountingData(), SHARED, PHASE, tmp_path)  # type: ignore[arg-type]


def test_ids_that_the_model_does_not_know_are_refused(tmp_path: Path) -> None:
    class Foreign(CountingData):
        def sequences(self, indices: np.ndarray) -> np.ndarray:
            return super().sequences(indices) + np.uint16(222)  # up to 300

    with pytest.raises(ShardError, match=r"the packed tokens contain id 300, but the model has 300 \(train_tokenizer.vocab_size\)"):
        run(Foreign(), tmp_path)


@pytest.mark.parametrize("field", ["tokens", "batch_tokens"])
def test_zero_tokens_are_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=rf"(?s){field}.*greater than 0"):
        PhaseParams.model_validate(PHASE.model_dump() | {field: 0})


def test_a_vocabulary_beyond_uint16_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"(?s)vocab_size.*less than or equal to 65536"):
        ModelParams.model_validate(MODEL.model_dump() | {"vocab_size": 65537})


DEVICE_FAULTS = [
    (
        torch.AcceleratorError("CUDA error: unspecified launch failure"),
        "the device failed: CUDA error: unspecified launch failure.*nvidia-smi",
    ),
    (torch.OutOfMemoryError("CUDA out of memory"), "too little memory: CUDA out of memory.*SNOWCODER_ACTIVATION_CHECKPOINTING=1"),
    (dist.DistBackendError("NCCL error: remote process exited"), "another process or its device was lost: NCCL error"),
]


@pytest.mark.parametrize(("fault", "message"), DEVICE_FAULTS)
def test_a_device_that_disappears_is_told_and_costs_no_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, message: str
) -> None:
    whole, whole_curve = run(CountingData(), tmp_path / "whole")
    monkeypatch.setenv("SNOWCODER_CHECKPOINT_INTERVAL_S", "0")
    model = initialize(MODEL)
    forward, calls = model.model.layers[1].forward, []

    def fail_later(*arguments: object, **named: object) -> object:
        calls.append(None)
        if len(calls) == 6:  # in the third step, between its micro-batches
            raise fault
        return forward(*arguments, **named)

    monkeypatch.setattr(model.model.layers[1], "forward", fail_later)
    with pytest.raises(TrainingError, match=rf"(?s){message}.*Checkpoints in {tmp_path / 'state'} are kept: run the same command again"):
        train(model, CountingData(), SHARED, PHASE, tmp_path / "state")  # type: ignore[arg-type]
    assert sorted(path.name[:14] for path in (tmp_path / "state").iterdir()) == ["step-000000001", "step-000000002"]
    resumed, curve = run(CountingData(), tmp_path / "state")
    assert_equal_weights(whole, resumed)
    assert curve == whole_curve


def test_activation_checkpointing_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, kept_curve = run(CountingData(), tmp_path / "kept")
    monkeypatch.setenv("SNOWCODER_ACTIVATION_CHECKPOINTING", "1")
    recomputed, curve = run(CountingData(), tmp_path / "recomputed")
    assert_equal_weights(kept, recomputed)
    assert curve == kept_curve

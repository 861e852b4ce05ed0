"""Learning rates at hand-computed points."""

import pytest

from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import validate
from snowcoder.pretraining.schedule import ScheduleParams, learning_rate

COSINE = ScheduleParams(kind="cosine", peak_learning_rate=5.3e-4, final_learning_rate=5.3e-5, warmup_steps=600)
REWARMUP = ScheduleParams(kind="linear", peak_learning_rate=5.3e-4, final_learning_rate=0.0, warmup_steps=1000)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 5.3e-4 / 600),  # first step of the warm-up
        (299, 2.65e-4),  # half of it
        (599, 5.3e-4),  # its last step is the peak
        (60_299, 5.3e-5 + (5.3e-4 - 5.3e-5) / 2),  # half of the decay: (60299 - 600 + 1) / 119400 = 0.5
        (119_999, 5.3e-5),  # the last step is the final rate
    ],
)
def test_general_phase_of_the_paper(step: int, expected: float) -> None:
    assert learning_rate(step, 120_000, COSINE) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("step", "expected"), [(0, 5.3e-7), (999, 5.3e-4), (6499, 2.65e-4), (11_999, 0.0)])
def test_continued_phase_rewarms_and_falls_to_zero(step: int, expected: float) -> None:
    assert learning_rate(step, 12_000, REWARMUP) == pytest.approx(expected, abs=1e-12)


def test_constant_schedule_without_warmup() -> None:
    constant = ScheduleParams(kind="constant", peak_learning_rate=5.3e-5, final_learning_rate=0.0, warmup_steps=0)
    assert [learning_rate(step, 10, constant) for step in (0, 5, 9)] == [5.3e-5] * 3


def test_warmup_longer_than_the_phase_only_rises() -> None:
    rates = [learning_rate(step, 4, REWARMUP) for step in range(4)]
    assert rates == pytest.approx([5.3e-4 / 4, 5.3e-4 / 2, 5.3e-4 * 3 / 4, 5.3e-4])


def test_final_above_peak_is_refused() -> None:
    raw = {"kind": "cosine", "peak_learning_rate": 1e-4, "final_learning_rate": 1e-3, "warmup_steps": 1}
    with pytest.raises(ParameterError, match=r"final_learning_rate: found 0\.001; allowed: at most peak_learning_rate 0\.0001"):
        validate(raw, ScheduleParams, "pretrain.variants.general.schedule")


def test_a_rate_without_end_is_refused() -> None:
    with pytest.raises(ParameterError, match="peak_learning_rate"):
        validate(COSINE.model_dump() | {"peak_learning_rate": float("inf")}, ScheduleParams, "pretrain.variants.general.schedule")

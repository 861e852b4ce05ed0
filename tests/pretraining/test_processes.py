"""Shares of a batch, agreement between processes, and what is refused. test_sharding.py runs whole trainings."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ParameterError, SnowcoderError
from snowcoder.pretraining.processes import agree, own_sequences, process_number, tell_of_crowded_processors
from tests.pretraining.gloo_processes import run_together


@given(st.integers(1, 8), st.integers(1, 8))
def test_shares_are_equal_and_together_are_the_batch(n_processes: int, share: int) -> None:
    batch = np.arange(n_processes * share) * 3
    shares = [own_sequences(batch, rank, n_processes) for rank in range(n_processes)]
    assert {len(own) for own in shares} == {share}
    assert np.array_equal(np.stack(shares, axis=1).ravel(), batch)


def test_processes_that_do_not_divide_the_batch_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"batch of 8 sequences cannot be shared equally by 3 processes"):
        own_sequences(np.arange(8), 0, 3)


def test_all_do_what_one_asks_for() -> None:
    assert run_together(2, agree_as_told) == [[True, False, True]] * 2
    assert agree(True, False) == [True, False]


def agree_as_told() -> list[bool]:
    number = process_number()
    return agree(number == 1, False, number == 0)


def test_processes_that_do_not_train_together_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SnowcoderError, match="the launcher started 2 processes, but 1 train together"):
        process_number()


@pytest.mark.skipif(torch.cuda.is_available(), reason="threads do not matter where a CUDA device trains")
@pytest.mark.parametrize(("cpu_threads", "is_told"), [(1, False), (2, True)])
def test_more_threads_than_processors_are_told(
    cpu_threads: int, is_told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    tell_of_crowded_processors(cpu_threads)
    assert ("2 processes of pretrain.shared.cpu_threads 2 share 2 processors" in capsys.readouterr().err) == is_told

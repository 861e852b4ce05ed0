"""Shares of a batch, agreement between processes, and what is refused. For whole trainings see test_sharding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ParameterError, SnowcoderError
from snowcoder.pretraining.processes import agree, own_sequences, process_number
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

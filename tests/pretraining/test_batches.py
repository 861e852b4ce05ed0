"""The order of sequences: every pass shows each sequence once, and a step's batch depends only on the step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.pretraining.batches import BatchOrder


@given(n_sequences=st.integers(1, 40), batch=st.integers(1, 50), seed=st.integers(0, 3), passes=st.integers(1, 3))
def test_every_pass_shows_each_sequence_once(n_sequences: int, batch: int, seed: int, passes: int) -> None:
    order = BatchOrder(n_sequences, batch, seed)
    n_steps = -(-n_sequences * passes // batch)
    shown = np.concatenate([order.indices(step) for step in range(n_steps)])
    for number in range(passes):
        one_pass = shown[number * n_sequences : (number + 1) * n_sequences]
        assert sorted(one_pass) == list(range(n_sequences))


@given(step=st.integers(0, 100))
def test_a_step_does_not_depend_on_the_steps_before(step: int) -> None:
    fresh, used = BatchOrder(17, 4, seed=1), BatchOrder(17, 4, seed=1)
    for earlier in range(step):
        used.indices(earlier)
    assert fresh.indices(step).tolist() == used.indices(step).tolist()


def test_passes_differ_in_order() -> None:
    order = BatchOrder(50, 50, seed=1)
    assert order.indices(0).tolist() != order.indices(1).tolist()

"""Training by several processes: shares of a batch, the same losses as one process, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ParameterError
from snowcoder.pretraining.processes import own_sequences

PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
import torch.distributed as dist
from snowcoder.pretraining.loop import PhaseParams, TrainingParams, train
from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.pretraining.processes import process_group
from snowcoder.pretraining.schedule import ScheduleParams

class Data:
    n_sequences, sequence_length, n_tokens, asked = 10, 16, 160, []
    def sequences(self, indices):
        self.asked.extend(int(index) for index in indices)
        return ((np.asarray(indices)[:, None] * 7 + np.arange(16)) % 300).astype(np.uint16)

shape = dict(vocab_size=300, hidden_size=32, ffn_size=48, layers=2, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3)
shared = dict(cpu_threads=1, bf16=False, compile=False, attention="eager", micro_batch_sequences=3, weight_decay=0.0)
shared |= dict(adam_beta1=0.9, adam_beta2=0.95, max_gradient_norm=1.0)
schedule = ScheduleParams(kind="cosine", peak_learning_rate=3e-3, final_learning_rate=3e-4, warmup_steps=2)
phase = PhaseParams(tokens=16 * 8 * 6, batch_tokens=16 * 8, seed=5, schedule=schedule)
folder = Path(sys.argv[1])
with process_group():
    model = initialize(ModelParams(**shape))
    curve = train(model, Data(), TrainingParams(**shared), phase, folder / "state", log=lambda *_: None)
    world = dist.get_world_size() if dist.is_initialized() else 1
    rank = dist.get_rank() if dist.is_initialized() else 0
found = {"world": world, "asked": Data.asked, "losses": [point.train_loss for point in curve]}
found["weights"] = float(sum(p.detach().double().abs().sum() for p in model.parameters()))
(folder / f"{rank}.json").write_text(json.dumps(found))
"""


def run_processes(folder: Path, n_processes: int, root: Path) -> list[dict[str, object]]:
    """What each of `n_processes` processes started by torchrun saw (one: started without it)."""
    folder.mkdir()
    program = folder / "program.py"
    program.write_text(PROGRAM)
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"] if n_processes > 1 else []
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, *launcher, str(program), str(folder)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(n_processes)]


@pytest.mark.slow
def test_one_two_and_four_processes_see_the_same_sequences_and_give_the_same_losses(tmp_path: Path, repository_root: Path) -> None:
    [alone] = run_processes(tmp_path / "1", 1, repository_root)
    for n_processes in (2, 4):  # shares of 4 and 2 sequences: micro-batches of 3 do not divide the one, and are larger than the other
        together = run_processes(tmp_path / str(n_processes), n_processes, repository_root)
        assert [found["world"] for found in together] == [n_processes] * n_processes
        asked = np.array([found["asked"] for found in together]).T.ravel()  # turn by turn, as the shares were dealt
        assert asked.tolist() == alone["asked"]
        for found in together:
            np.testing.assert_allclose(found["losses"], alone["losses"], rtol=1e-5)
            np.testing.assert_allclose(found["weights"], alone["weights"], rtol=1e-5)


@given(st.integers(1, 8), st.integers(1, 8))
def test_shares_are_equal_and_together_are_the_batch(n_processes: int, share: int) -> None:
    batch = np.arange(n_processes * share) * 3
    shares = [own_sequences(batch, rank, n_processes) for rank in range(n_processes)]
    assert {len(own) for own in shares} == {share}
    assert np.array_equal(np.stack(shares, axis=1).ravel(), batch)


def test_processes_that_do_not_divide_the_batch_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"batch of 8 sequences cannot be shared equally by 3 processes"):
        own_sequences(np.arange(8), 0, 3)

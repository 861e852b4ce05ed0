"""The pretrain stage under a launcher: one set of outputs, as from one process; launch files that accelerate can read."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.tokenization.token_shards import ShardLayout

SHAPE = ModelParams(vocab_size=300, hidden_size=32, ffn_size=48, layers=2, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3)
PARAMS = """
pretrain:
  cpu_threads: 1
  bf16: false
  compile: false
  attention: eager
  micro_batch_sequences: 3
  weight_decay: 0.0
  adam_beta1: 0.9
  adam_beta2: 0.95
  max_gradient_norm: 1.0
  general:
    parent: models/initialize_model
    tokens: 768
    batch_tokens: 128
    seed: 5
    schedule: {kind: cosine, peak_learning_rate: 0.003, final_learning_rate: 0.0003, warmup_steps: 2}
"""


def make_workspace(folder: Path) -> None:
    """Params, a parent model and packed tokens."""
    folder.mkdir()
    (folder / "params.yaml").write_text(PARAMS)
    initialize(SHAPE).save_pretrained(folder / "models/initialize_model")
    layout = ShardLayout(folder / "data/pack_tokens/general", sequence_length=16, n_sequences=10, sequences_per_shard=4)
    layout.allocate()
    layout.write_at(0, np.random.default_rng(1).integers(0, 300, layout.n_tokens).astype(np.uint16))
    layout.publish({})


def run_stage_in(folder: Path, root: Path, launcher: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}:{root}", "SNOWCODER_WORK_DIR": str(folder / ".work")}
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("DVC_ROOT", None)
    command = [sys.executable, *launcher, "-m", "stages.pretrain", "--item", "general"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def losses(folder: Path) -> list[float]:
    with (folder / "models/pretrain/general/loss_curve.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_two_processes_publish_what_one_does(tmp_path: Path, repository_root: Path) -> None:
    make_workspace(tmp_path / "alone")
    make_workspace(tmp_path / "together")
    alone = run_stage_in(tmp_path / "alone", repository_root, [])
    assert alone.returncode == 0, alone.stderr
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    together = run_stage_in(tmp_path / "together", repository_root, launcher)
    assert together.returncode == 0, together.stderr
    assert len(losses(tmp_path / "together")) == 6
    np.testing.assert_allclose(losses(tmp_path / "together"), losses(tmp_path / "alone"), rtol=1e-5)
    assert (tmp_path / "together/metrics/pretrain/general.json").exists()
    assert not list((tmp_path / "together/.work/state").rglob("step-*.pt"))  # the state went with the end of the run


@pytest.mark.slow
def test_a_number_of_processes_that_does_not_divide_the_batch_is_told(tmp_path: Path, repository_root: Path) -> None:
    make_workspace(tmp_path / "three")
    done = run_stage_in(tmp_path / "three", repository_root, ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=3"])
    assert done.returncode != 0
    assert "a batch of 8 sequences cannot be shared equally by 3 processes" in done.stderr


@pytest.mark.parametrize(("name", "n_processes"), [("one_gpu", 1), ("node_of_8", 8)])
def test_launch_files_are_read_by_accelerate(repository_root: Path, name: str, n_processes: int) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    path = repository_root / f"launch/{name}.yaml"
    assert load_config_from_file(str(path)).num_processes == n_processes
    assert "mixed_precision" not in YAML(typ="safe").load(path.read_text())


def test_the_slurm_script_is_valid_shell(repository_root: Path) -> None:
    subprocess.run(["bash", "-n", str(repository_root / "launch/slurm.sbatch")], check=True)

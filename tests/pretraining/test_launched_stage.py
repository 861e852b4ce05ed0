"""The pretrain stage under a launcher: one set of outputs, as from one process; launch files that accelerate accepts."""

import csv
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM

from snowcoder.pretraining.model import ModelParams, initialize
from snowcoder.tokenization.token_shards import ShardLayout

SHAPE = ModelParams(vocab_size=300, hidden_size=32, ffn_size=48, layers=2, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3)
PARAMS = """
pretrain:
  shared:
    cpu_threads: 1
    bf16: false
    compile: false
    attention: eager
    micro_batch_sequences: 3
    weight_decay: 0.0
    adam_beta1: 0.9
    adam_beta2: 0.95
    max_gradient_norm: 1.0
  variants:
    general:
      parent: models/initialize_model
      packs: {files: data/tokenize_files, documents: data/none}
      tokens: 768
      batch_tokens: 128
      seed: 5
      schedule: {kind: cosine, peak_learning_rate: 0.003, final_learning_rate: 0.0003, warmup_steps: 2}
"""


def make_workspace(folder: Path, n_steps: int = 6) -> None:
    """Params, a parent model and packed tokens."""
    folder.mkdir()
    (folder / "params.yaml").write_text(PARAMS.replace("tokens: 768", f"tokens: {n_steps * 128}"))
    initialize(SHAPE).save_pretrained(folder / "models/initialize_model")
    layout = ShardLayout(folder / "data/pack_tokens/general", sequence_length=16, n_sequences=10, sequences_per_shard=4)
    layout.allocate()
    layout.write_at(0, np.random.default_rng(1).integers(0, 300, layout.n_tokens).astype(np.uint16))
    layout.publish({})


def torchrun(n_processes: int) -> list[str]:
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]


def start_stage_in(folder: Path, root: Path, launcher: list[str], **variables: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}:{root}", "SNOWCODER_WORK_DIR": str(folder / ".work")}
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""} | variables
    environment.pop("DVC_ROOT", None)
    command = [sys.executable, *launcher, "-m", "stages.pretrain", "--item", "general"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def run_stage_in(folder: Path, root: Path, launcher: list[str], **variables: str) -> tuple[int, str]:
    """(exit status, what was said)."""
    process = start_stage_in(folder, root, launcher, **variables)
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def losses(folder: Path) -> list[float]:
    with (folder / "models/pretrain/general/loss_curve.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "models/pretrain/general/model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("sharding", ["none", "full"])
def test_two_processes_publish_what_one_does(tmp_path: Path, repository_root: Path, sharding: str) -> None:
    make_workspace(tmp_path / "alone")
    make_workspace(tmp_path / "together")
    status, said = run_stage_in(tmp_path / "alone", repository_root, [])
    assert status == 0, said
    status, said = run_stage_in(tmp_path / "together", repository_root, torchrun(2), SNOWCODER_SHARDING=sharding)
    assert status == 0, said
    assert len(losses(tmp_path / "together")) == 6
    np.testing.assert_allclose(losses(tmp_path / "together"), losses(tmp_path / "alone"), rtol=1e-5)
    assert (tmp_path / "together/metrics/pretrain/general.json").exists()
    assert not list((tmp_path / "together/.work/state").rglob("step-*"))  # the state went with the end of the run
    published = [sorted(path.name for path in (folder / "models/pretrain/general").iterdir()) for folder in tmp_path.iterdir()]
    assert published[0] == published[1]
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "together/models/pretrain/general")
    reference = AutoModelForCausalLM.from_pretrained(tmp_path / "alone/models/pretrain/general")
    tokens = torch.arange(16)[None]
    torch.testing.assert_close(model(tokens).logits, reference(tokens).logits, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_number_of_processes_that_does_not_divide_the_batch_is_told(tmp_path: Path, repository_root: Path) -> None:
    make_workspace(tmp_path / "three")
    status, said = run_stage_in(tmp_path / "three", repository_root, torchrun(3), SNOWCODER_SHARDING="full")
    assert status != 0
    assert "a batch of 8 sequences cannot be shared equally by 3 processes" in said


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = 120.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".work/state").rglob("step-*"))


@pytest.mark.slow
def test_sigterm_of_a_sharded_training_checkpoints_and_leaves_and_the_next_goes_on(tmp_path: Path, repository_root: Path) -> None:
    for name in ("whole", "stopped"):
        make_workspace(tmp_path / name, n_steps=200)
    sharded = {"SNOWCODER_SHARDING": "full"}
    status, said = run_stage_in(tmp_path / "whole", repository_root, torchrun(2), **sharded)
    assert status == 0, said

    process = start_stage_in(tmp_path / "stopped", repository_root, torchrun(2), SNOWCODER_CHECKPOINT_INTERVAL_S="0", **sharded)
    wait_for(lambda: len(checkpoints(tmp_path / "stopped")) > 1, "no checkpoint")
    process.terminate()
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert not (tmp_path / "stopped/models/pretrain").exists()
    assert not list((tmp_path / "stopped/.work/state").rglob(".step-*"))
    step = int(checkpoints(tmp_path / "stopped")[-1].split("-")[1])
    assert 0 < step < 200

    status, said = run_stage_in(tmp_path / "stopped", repository_root, torchrun(2), **sharded)
    assert status == 0, said
    assert said.count(f"resuming from step {step} of 200") == 1
    for name, weight in weights(tmp_path / "whole").items():
        np.testing.assert_array_equal(weights(tmp_path / "stopped")[name], weight, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (2, 1)])
def test_killed_in_the_midst_and_resumed_by_another_number_of_processes(
    tmp_path: Path, repository_root: Path, before: int, after: int
) -> None:
    """Sixty passes over ten sequences: it is killed in the middle of one."""
    for name in ("whole", "killed"):
        make_workspace(tmp_path / name, n_steps=75)
    launchers = {1: [], 2: torchrun(2)}
    status, said = run_stage_in(tmp_path / "whole", repository_root, launchers[before])
    assert status == 0, said

    process = start_stage_in(tmp_path / "killed", repository_root, launchers[before], SNOWCODER_CHECKPOINT_INTERVAL_S="0")
    wait_for(lambda: any(int(name.split("-")[1]) >= 3 for name in checkpoints(tmp_path / "killed")), "no checkpoint of step 3")
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        one.kill()
    process.communicate()
    assert not (tmp_path / "killed/models").joinpath("pretrain").exists()

    status, said = run_stage_in(tmp_path / "killed", repository_root, launchers[after])
    assert status == 0, said
    assert "resuming from step" in said
    np.testing.assert_allclose(losses(tmp_path / "killed"), losses(tmp_path / "whole"), rtol=0 if before == after else 1e-5)
    if before == after:
        for name, weight in weights(tmp_path / "whole").items():
            np.testing.assert_array_equal(weights(tmp_path / "killed")[name], weight, err_msg=name)


@pytest.mark.slow
def test_an_unreachable_tracking_server_neither_ends_nor_changes_a_training(tmp_path: Path, repository_root: Path) -> None:
    away = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "SNOWCODER_TRACKING": "mlflow", "SNOWCODER_TRACKING_STRICT": "0"}
    make_workspace(tmp_path / "local")
    make_workspace(tmp_path / "away")
    assert run_stage_in(tmp_path / "local", repository_root, [])[0] == 0
    status, said = run_stage_in(tmp_path / "away", repository_root, [], **away)
    assert status == 0, said
    assert losses(tmp_path / "away") == losses(tmp_path / "local")
    (record,) = (tmp_path / "away/.work/tracking").glob("pretrain@general-*.jsonl")
    assert '"status": "FINISHED"' in record.read_text()


@pytest.mark.slow
def test_a_second_group_on_the_same_state_waits_and_uses_the_result(tmp_path: Path, repository_root: Path) -> None:
    folder = tmp_path / "shared"
    make_workspace(folder, n_steps=100)
    sharded = {"SNOWCODER_SHARDING": "full"}
    first = start_stage_in(folder, repository_root, torchrun(2), SNOWCODER_CHECKPOINT_INTERVAL_S="0", **sharded)
    wait_for(lambda: bool(checkpoints(folder)), "no checkpoint")
    stopped = psutil.Process(first.pid).children(recursive=True)
    for process in stopped:  # in one of the first steps, until the second group has come
        process.suspend()
    second = start_stage_in(folder, repository_root, torchrun(2), **sharded)
    assert second.stderr is not None
    said = ""
    while "waiting for its result" not in said:
        line = second.stderr.readline()
        assert line, said
        said += line
    for process in stopped:
        process.resume()
    _, said_by_first = first.communicate(timeout=120)
    _, rest = second.communicate(timeout=120)
    assert first.returncode == 0, said_by_first
    assert second.returncode == 0, said + rest
    assert "the other process has finished; its result is used" in rest
    assert len(losses(folder)) == 100


@pytest.mark.parametrize(("name", "n_processes"), [("one_gpu", 1), ("node_of_8", 8)])
def test_launch_files_are_read_by_accelerate(repository_root: Path, name: str, n_processes: int) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    path = repository_root / f"launch/{name}.yaml"
    assert load_config_from_file(str(path)).num_processes == n_processes
    assert "mixed_precision" not in YAML(typ="safe").load(path.read_text())


# Both nodes on this machine. With Slurm itself (two slurmd of one machine) the script was run by hand: see LOG.md
SRUN = """#!/bin/bash
for node in 0 1; do SLURM_NODEID=$node "$@" & nodes+=($!); done
for node in "${nodes[@]}"; do wait "$node" || exit 1; done
"""


@pytest.mark.slow
def test_the_slurm_script_trains_on_two_nodes(tmp_path: Path, repository_root: Path) -> None:
    folder = tmp_path / "nodes"
    make_workspace(folder)
    for name in ("src", "stages"):
        (folder / name).symlink_to(repository_root / name)
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f"export PATH={programs}:{Path(sys.executable).parent}:$PATH\n")
    for name, text in {"srun": SRUN, "scontrol": "#!/bin/bash\necho localhost\necho second\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    variables = {"SLURM_NNODES": "2", "SLURM_JOB_NODELIST": "both", "PROCESSES_PER_NODE": "1", "MAIN_PORT": str(port)}
    variables |= {"SNOWCODER_WORK_DIR": str(folder / ".work"), "CUDA_VISIBLE_DEVICES": ""}
    command = ["bash", str(repository_root / "launch/slurm.sbatch"), "general"]
    run = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert "waiting for its result" not in run.stderr  # they trained together, not one after the other
    make_workspace(tmp_path / "alone")
    status, said = run_stage_in(tmp_path / "alone", repository_root, [])
    assert status == 0, said
    np.testing.assert_allclose(losses(folder), losses(tmp_path / "alone"), rtol=1e-5)

"""Plans of whole profiles: what they print, and what they save for the run."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import read_yaml
from snowcoder.pipeline.stage import work_dir
from snowcoder.planning.measured_speeds import measure_training
from snowcoder.planning.plan_and_actual import compare
from snowcoder.planning.profile_plan import plan_pretraining
from snowcoder.planning.speeds import published_speeds
from snowcoder.storage.metrics import flatten
from snowcoder.tracking.context import params_digest
from tests.repository.test_profiles import params_of
from tools import plan as tool

PAPER_TOKENS = 119_209 * 4_194_304  # whole steps of 500B


def run_plan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["plan", *arguments])
    monkeypatch.setenv("COLUMNS", "300")
    tool.main()
    return capsys.readouterr().out


def test_the_papers_pretraining_on_64_h100s(tmp_path: Path) -> None:
    training = tool.read_training(params_of("paper", tmp_path))
    plans = {plan.stage: plan for plan in plan_pretraining(training, published_speeds("h100", 64, 0.377))}
    general = plans["pretrain@general"]
    # 6 x 1,364,297,728 + 12 x 24 x 2048 x 8192 = 13,017,624,576 FLOPs a token: 28,654 tokens/s a device, 1.83M together
    assert general.flops == pytest.approx(PAPER_TOKENS * 13_017_624_576)
    assert general.hours == pytest.approx(PAPER_TOKENS / (64 * 0.377 * 989.4e12 / 13_017_624_576) / 3600)
    assert general.hours == pytest.approx(75.74, abs=0.01)
    assert sum(plan.hours for plan in plans.values()) == pytest.approx(general.hours * 610 / 500, rel=1e-3)


def test_devices_that_do_not_divide_a_batch_are_refused(tmp_path: Path) -> None:
    training = tool.read_training(params_of("paper", tmp_path))
    with pytest.raises(ParameterError, match=r"--devices 48: a batch of pretrain.variants.general has 512 sequences"):
        plan_pretraining(training, published_speeds("h100", 48, 0.377))


@pytest.mark.parametrize("profile", ["toy", "h100", "paper"])
def test_every_profile_is_planned_stage_by_stage(
    profile: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shown = run_plan(monkeypatch, capsys, "--profile", profile, "--device", "h100", "--devices", "4", "--price", "2")
    for name in (
        "embed_files",
        "pretrain@general",
        "pretrain@enhanced_selected",
        "generate_completions x 5",
        "measure_bits_per_byte x 6",
        "train_branches",
    ):
        assert name in shown
    assert ("synthesize_documents" in shown.split("not planned")[0]) == (profile != "toy")
    assert "37.7%" in shown
    assert "activation checkpointing" in shown
    # the run with these parameters finds the plan
    digest = params_digest(flatten(read_yaml(params_of(profile, tmp_path))))
    entries = [
        {"type": "start", "time": 0, "tags": {"stage": "pretrain", "item": "general", "params_digest": digest}},
        {"type": "metrics", "time": 1, "step": 1, "metrics": {"train/tokens": 10.0, "train/tokens_per_second": 1.0}},
        {"type": "end", "time": 10, "status": "FINISHED", "peak_memory_bytes": 1},
    ]
    found = compare(work_dir(), entries)
    assert found is not None
    assert found.origin.startswith("4 x h100")


def test_the_papers_model_fits_an_h100_at_the_profile_s_micro_batches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run_plan(monkeypatch, capsys, "--profile", "paper", "--device", "h100", "--devices", "64")
    assert "This does not fit" not in shown


@pytest.mark.parametrize(("sharding", "spread"), [("full", 64), ("hybrid", 8)])
def test_the_settings_of_a_training_are_those_of_its_plan(
    sharding: str, spread: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNOWCODER_SHARDING", sharding)
    monkeypatch.setenv("SNOWCODER_ACTIVATION_CHECKPOINTING", "1")
    shown = " ".join(run_plan(monkeypatch, capsys, "--profile", "paper", "--device", "h100", "--devices", "64").split())
    assert f"sharded over {spread} devices" in shown
    assert "with activation checkpointing" in shown


def test_an_unknown_profile_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ParameterError, match="--profile: found 'papr'; allowed: h100, paper, small, toy"):
        run_plan(monkeypatch, capsys, "--profile", "papr", "--device", "h100")


def test_this_machine_is_measured_at_every_kind_of_work(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run_plan(monkeypatch, capsys, "--profile", "toy")
    assert "measured here just now" in shown
    assert "libraries included" in shown
    (kept,) = (work_dir() / "plans").glob("*.json")
    stages = json.loads(kept.read_text())["stages"]
    assert stages["pretrain@general"]["hours"] > 0
    assert stages["pretrain@general"]["memory_bytes"] > 2**27


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--devices 0", "--devices: found 0; allowed: 1 or more"),
        ("--mfu 2", "--mfu: found 2.0; allowed: above 0, 1 at most"),
        ("--mfu nan", "--mfu: found nan"),
        ("--devices 2 --shards 3", "--shards: found 3; allowed: 1 to --devices 2"),
        ("--shards 0", "--shards: found 0"),
        ("--corpus-tokens 0", "--corpus-tokens: found 0; allowed: 1 or more"),
        ("--price -1", "--price: found -1.0; allowed: 0 or more"),
    ],
)
def test_numbers_that_plan_nothing_are_refused(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ParameterError, match=message):
        run_plan(monkeypatch, capsys, "--profile", "h100", "--device", "h100", *arguments.split())


def test_what_is_measured_here_is_what_the_plan_says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ParameterError, match="set that"):
        run_plan(monkeypatch, capsys, "--profile", "toy", "--activation-checkpointing")
    monkeypatch.setenv("SNOWCODER_ACTIVATION_CHECKPOINTING", "1")
    assert "with activation checkpointing" in " ".join(run_plan(monkeypatch, capsys, "--profile", "toy").split())


def test_a_busy_machine_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("psutil.cpu_percent", lambda interval: 50.0)
    shown = " ".join(run_plan(monkeypatch, capsys, "--profile", "toy").split())
    assert "WHILE OTHER PROGRAMS USED 50% of the processors" in shown


def test_a_model_that_does_not_fit_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    training = tool.read_training(params_of("paper", tmp_path))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=2**34))
    with pytest.raises(ParameterError, match=r"needs 6\d GiB to train a step, 16 GiB are free here; name a --device"):
        measure_training(training.shape, training.shared, training.phases["general"], training.sequence_length)

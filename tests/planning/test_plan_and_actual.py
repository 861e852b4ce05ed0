"""The plan next to the actual cost: whose plan it is, and what was measured."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.pipeline.stage import work_dir
from snowcoder.planning.plan_and_actual import Comparison, StageCost, compare, read_comparisons, write_plan
from snowcoder.tracking.context import all_params, params_digest
from snowcoder.tracking.record import track

HOUR_MS = 3_600_000
PLANNED = StageCost(hours=2.0, memory_bytes=2**30)


def report(time: int, tokens: float, speed: float) -> dict[str, Any]:
    return {"type": "metrics", "time": time, "step": 1, "metrics": {"train/tokens": tokens, "train/tokens_per_second": speed}}


def start(time: int) -> dict[str, Any]:
    return {"type": "start", "time": time, "tags": {"stage": "pretrain", "item": "general", "params_digest": params_digest({"a": 1})}}


def end(time: int) -> dict[str, Any]:
    return {"type": "end", "time": time, "status": "FINISHED", "peak_memory_bytes": 7}


def comparison(work: Path, *entries: dict[str, Any]) -> Comparison:
    found = compare(work, entries)
    assert found is not None
    return found


def test_hours_of_a_killed_run_are_those_of_both_processes(tmp_path: Path) -> None:
    # one hour until the kill (its last line), two hours of nothing, one hour to the end
    write_plan(tmp_path, {"a": 1}, "measured here", {"pretrain@general": PLANNED})
    killed = (start(0), report(HOUR_MS, 3.0e6, 900.0))
    found = comparison(tmp_path, *killed, start(3 * HOUR_MS), report(4 * HOUR_MS - 1, 7.2e6, 800.0), end(4 * HOUR_MS))
    assert (found.stage, found.origin, found.planned) == ("pretrain@general", "measured here", PLANNED)
    assert found.actual == StageCost(hours=2.0, memory_bytes=7)
    assert compare(tmp_path, killed) is None


def test_the_plan_of_other_parameters_is_not_taken(tmp_path: Path) -> None:
    write_plan(tmp_path, {"a": 2}, "measured here", {"pretrain@general": PLANNED})
    assert compare(tmp_path, [start(0), report(1000, 1000.0, 500.0), end(HOUR_MS)]) is None


@pytest.mark.parametrize("entries", [[], [{"type": "start", "time": 0, "tags": {"stage": "pretrain"}}, end(1)]], ids=["empty", "older"])
def test_a_record_without_a_digest_of_its_parameters_is_not_compared(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    assert compare(tmp_path, entries) is None


def test_memory_is_the_gpu_s_where_there_is_one(tmp_path: Path) -> None:
    samples: list[dict[str, Any]] = [
        {"type": "system", "time": 1, "metrics": {"system/gpu_0_memory_usage_megabytes": used, "system/disk_usage_megabytes": 9e9}}
        for used in (5.0, 70.5, 60.0)
    ]
    write_plan(tmp_path, {"a": 1}, "measured here", {"pretrain@general": PLANNED})
    found = comparison(tmp_path, start(0), *samples, report(1000, 1000.0, 500.0), end(HOUR_MS))
    assert found.actual.memory_bytes == 70_500_000


def test_a_stage_that_was_not_planned_is_not_compared() -> None:
    write_plan(work_dir(), all_params(), "2 x h100", {"pretrain@general": PLANNED})
    with track("embed_files", None, "f00d") as record:
        record.log({"eval/files": 3.0})
    assert read_comparisons(work_dir()) == []


def test_a_finished_training_is_compared_with_the_plan_of_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("pretrain: {general: {seed: 7}}\n")
    write_plan(work_dir(), all_params(), "2 x h100", {"pretrain@general": PLANNED})
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/tokens": 1024.0, "train/tokens_per_second": 512.0}, step=20)
    (one,) = read_comparisons(work_dir())
    assert (one.stage, one.origin, one.planned) == ("pretrain@general", "2 x h100", PLANNED)
    assert one.actual.hours > 0
    assert one.actual.memory_bytes > 2**20


def test_a_killed_run_is_compared_when_it_has_been_finished() -> None:
    write_plan(work_dir(), all_params(), "2 x h100", {"pretrain@general": PLANNED})
    code = (
        "import os, signal\n"
        "from snowcoder.tracking.record import track\n"
        "with track('pretrain', 'general', 'f00d') as record:\n"
        "    record.log({'train/tokens': 10.0, 'train/tokens_per_second': 5.0}, step=1)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCE_ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == -signal.SIGKILL
    assert read_comparisons(work_dir()) == []
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/tokens": 20.0, "train/tokens_per_second": 4.0}, step=2)
    (one,) = read_comparisons(work_dir())
    assert one.planned == PLANNED

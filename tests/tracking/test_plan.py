"""Plan beside actual: whose plan it is, what was measured, and where both are kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snowcoder.pipeline.fingerprint import SOURCE_ROOT
from snowcoder.tracking.context import run_params
from snowcoder.tracking.plan import FIRST_REPORT, StageCost, compare, read_comparisons, write_plan
from snowcoder.tracking.record import track

HOUR_MS = 3_600_000
PLANNED = StageCost(hours=2.0, tokens_per_second=1000.0, memory_bytes=2**30)


def write_record(path: Path, *entries: dict) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def report(time: int, tokens: float, speed: float) -> dict:
    return {"type": "metrics", "time": time, "step": 1, "metrics": {"train/tokens": tokens, "train/tokens_per_second": speed}}


def start(time: int) -> dict:
    return {"type": "start", "time": time}


def test_hours_of_a_killed_run_are_those_of_both_processes(tmp_path: Path) -> None:
    # one hour until the kill (its last line), two hours of nothing, one hour to the end: 7.2M tokens in two hours
    record = write_record(
        tmp_path / "r.jsonl", start(0), report(HOUR_MS, 3.0e6, 900.0), start(3 * HOUR_MS), report(4 * HOUR_MS - 1, 7.2e6, 800.0)
    )
    write_plan(tmp_path, {"a": 1}, "measured here", {"pretrain@general": PLANNED})
    found = compare(tmp_path, "pretrain@general", {"a": 1}, record, now_ms=4 * HOUR_MS, peak_memory_bytes=7)
    assert found is not None
    assert found.origin == "measured here"
    assert found.planned == PLANNED
    assert found.actual == StageCost(hours=2.0, tokens_per_second=1000.0, memory_bytes=7)


def test_the_plan_of_other_parameters_is_not_taken(tmp_path: Path) -> None:
    record = write_record(tmp_path / "r.jsonl", start(0), report(1000, 1000.0, 500.0), report(9000, 3.6e6, 700.0))
    write_plan(tmp_path, {"a": 1}, "measured here", {"pretrain@general": PLANNED})
    found = compare(tmp_path, "pretrain@general", {"a": 2}, record, now_ms=HOUR_MS, peak_memory_bytes=7)
    assert found is not None
    assert found.origin == FIRST_REPORT
    assert found.planned == StageCost(hours=2.0, tokens_per_second=500.0, memory_bytes=None)  # 3.6M tokens at 500 a second
    assert "plan/memory_bytes" not in found.metrics()


def test_memory_is_the_gpu_s_where_there_is_one(tmp_path: Path) -> None:
    samples = [
        {
            "type": "system",
            "time": 1,
            "step": n,
            "metrics": {"system/gpu_0_memory_usage_megabytes": used, "system/disk_usage_megabytes": 9e9},
        }
        for n, used in enumerate((5.0, 70.5, 60.0))
    ]
    record = write_record(tmp_path / "r.jsonl", start(0), *samples, report(1000, 1000.0, 500.0))
    found = compare(tmp_path, "pretrain@general", {}, record, now_ms=HOUR_MS, peak_memory_bytes=7)
    assert found is not None
    assert found.actual.memory_bytes == 70_500_000


def test_a_stage_that_does_not_train_is_not_compared(work: Path) -> None:
    with track("embed_files", None, "f00d") as record:
        record.log({"eval/files": 3.0})
    assert read_comparisons(work) == []


def test_the_end_of_a_training_writes_both_sides_to_record_and_work_folder(work: Path) -> None:
    write_plan(work, run_params(), "2 x h100", {"pretrain@general": PLANNED})
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/tokens": 1024.0, "train/tokens_per_second": 512.0}, step=20)
    (one,) = read_comparisons(work)
    assert (one.stage, one.origin, one.planned) == ("pretrain@general", "2 x h100", PLANNED)
    assert one.actual.tokens_per_second == pytest.approx(1024 / (one.actual.hours * 3600))
    (path,) = (work / "tracking").glob("*.jsonl")
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries[-1]["type"] == "end"
    written = next(entry["metrics"] for entry in entries if "plan/hours" in entry.get("metrics", {}))
    assert written == one.metrics()
    assert written["plan/memory_bytes"] == 2**30


def test_a_killed_run_is_compared_when_it_has_been_finished(work: Path) -> None:
    code = (
        "import os, signal\n"
        "from snowcoder.tracking.record import track\n"
        "with track('pretrain', 'general', 'f00d') as record:\n"
        "    record.log({'train/tokens': 10.0, 'train/tokens_per_second': 5.0}, step=1)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCE_ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == -signal.SIGKILL
    assert read_comparisons(work) == []
    with track("pretrain", "general", "f00d") as record:
        record.log({"train/tokens": 20.0, "train/tokens_per_second": 4.0}, step=2)
    (one,) = read_comparisons(work)
    assert one.planned == StageCost(hours=20 / 5 / 3600, tokens_per_second=5.0, memory_bytes=None)

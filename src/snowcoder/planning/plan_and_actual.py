"""Compares the planned cost of a training stage with its real cost.

in:  <work>/plans/<digest of params.yaml>.json, which tools/plan.py writes before a run; the tracking records of the work folder
out: one Comparison for each stage that was planned; without a plan for exactly its parameters, a run is not compared

Hours are those of all processes that wrote the record, including what kills cost. Memory is the peak of the process or, on a machine with
GPUs, the largest use of one GPU that the samples show (the driver's count).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from snowcoder.errors import ShardError
from snowcoder.pipeline.stage import stage_label
from snowcoder.storage.files import write_json
from snowcoder.storage.journal import Entry
from snowcoder.tracking.context import params_digest
from snowcoder.tracking.records import list_records, read_record


class StageCost(NamedTuple):
    """Planned or measured. memory_bytes: of one device."""

    hours: float
    memory_bytes: int


class Comparison(NamedTuple):
    """origin: where the planned speed comes from."""

    stage: str
    origin: str
    planned: StageCost
    actual: StageCost


def write_plan(work: Path, params: dict[str, Any], origin: str, stages: dict[str, StageCost]) -> None:
    """Keep the plan of stages (`pretrain@general`) for runs with exactly these parameters (flattened params.yaml)."""
    costs = {stage: cost._asdict() for stage, cost in stages.items()}
    write_json(_plan_path(work, params_digest(params)), {"origin": origin, "stages": costs})


def read_comparisons(work: Path) -> list[Comparison]:
    """The last finished run of every stage, compared with its plan; by name."""
    found: dict[str, Comparison] = {}
    for path in list_records(work):  # the oldest first
        with suppress(ShardError):  # a damaged record
            comparison = compare(work, read_record(path))
            if comparison is not None:
                found[comparison.stage] = comparison
    return [found[stage] for stage in sorted(found)]


def compare(work: Path, entries: Sequence[Entry]) -> Comparison | None:
    """The plan of one record's stage, and what it cost; None for a run that has not finished or was not planned."""
    if not entries or entries[-1].get("status") != "FINISHED":
        return None
    tags = next(entry for entry in reversed(entries) if entry["type"] == "start")["tags"]
    stage, plan = stage_label(tags["stage"], tags.get("item")), _plan_path(work, tags.get("params_digest", "none"))
    kept = json.loads(plan.read_text()) if plan.exists() else {"stages": {}}
    if stage not in kept["stages"]:
        return None
    actual = StageCost(sum(_segments_ms(entries)) / 3_600_000, _gpu_memory_bytes(entries) or entries[-1]["peak_memory_bytes"])
    return Comparison(stage, kept["origin"], StageCost(**kept["stages"][stage]), actual)


def _segments_ms(entries: Sequence[Entry]) -> Iterator[int]:
    """How long each process wrote."""
    started = entries[0]["time"]
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        if following is None or following["type"] == "start":
            yield entry["time"] - started
            started = following["time"] if following else 0


def _gpu_memory_bytes(entries: Sequence[Entry]) -> int:
    used = [
        value
        for entry in entries
        if entry["type"] == "system"
        for name, value in entry["metrics"].items()
        if name.startswith("system/gpu_") and name.endswith("_memory_usage_megabytes")
    ]
    return int(max(used, default=0) * 1e6)


def _plan_path(work: Path, digest: str) -> Path:
    return work / "plans" / f"{digest}.json"

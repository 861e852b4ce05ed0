"""The plan of a stage beside what it cost.

in:  <work>/plans/<digest of params.yaml>.json, written by tools/plan.py before a run; the stage's tracking record
out: at the end of a stage that trained, <work>/plan_beside_actual/<stage>.json
       {"stage", "origin", "planned": {hours, tokens_per_second, memory_bytes}, "actual": {the same}}
     and the same numbers in its record (hence in MLflow) as plan/… and actual/…

Without a plan for these parameters, the run's own first report serves as one: its speed, for all tokens (and no word on memory).
Hours are those of all processes that worked on the record, what kills cost included. Memory is the largest of the process, or, where there
are GPUs, the largest that a sample of them saw (the driver's count).
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from snowcoder.storage.files import write_json
from snowcoder.tracking.records import Entry, read_entries

TOKENS, SPEED = "train/tokens", "train/tokens_per_second"
FIRST_REPORT = "the run's first report"


class StageCost(NamedTuple):
    """Planned or measured. tokens_per_second: of all devices together; memory_bytes: of one, None where nothing was planned."""

    hours: float
    tokens_per_second: float
    memory_bytes: int | None


class Comparison(NamedTuple):
    """origin: where the planned speed comes from."""

    stage: str
    origin: str
    planned: StageCost
    actual: StageCost

    def metrics(self) -> dict[str, float]:
        """As they stand in the record."""
        sides = {"plan": self.planned, "actual": self.actual}
        named = {f"{side}/{name}": value for side, cost in sides.items() for name, value in cost._asdict().items()}
        return {name: float(value) for name, value in named.items() if value is not None}


def write_plan(work: Path, params: dict[str, Any], origin: str, stages: dict[str, StageCost]) -> None:
    """Keep the plan of stages (`pretrain@general`) for runs with just these parameters (flattened params.yaml)."""
    costs = {stage: cost._asdict() for stage, cost in stages.items()}
    write_json(_plan_path(work, params), {"origin": origin, "stages": costs})


def compare(work: Path, stage: str, params: dict[str, Any], record: Path, now_ms: int, peak_memory_bytes: int) -> Comparison | None:
    """The plan of `stage` beside its record so far; None for a stage that reported no training."""
    entries = [entry for entry, _ in read_entries(record)[0] if entry is not None]
    reports = [entry["metrics"] for entry in entries if entry["type"] == "metrics" and {TOKENS, SPEED} <= entry["metrics"].keys()]
    if not reports:
        return None
    tokens, hours = reports[-1][TOKENS], sum(_segments_ms(entries, now_ms)) / 3_600_000
    memory = _gpu_memory_bytes(entries) or peak_memory_bytes
    actual = StageCost(hours, tokens / max(hours * 3600, 1e-9), memory)
    plan = _plan_path(work, params)
    if plan.exists():
        kept = json.loads(plan.read_text())
        if stage in kept["stages"]:
            return Comparison(stage, kept["origin"], StageCost(**kept["stages"][stage]), actual)
    speed = reports[0][SPEED]
    return Comparison(stage, FIRST_REPORT, StageCost(tokens / speed / 3600, speed, None), actual)


def write_comparison(work: Path, comparison: Comparison) -> None:
    """Where tools/show_results.py finds it; the last run of a stage counts."""
    sides = {"planned": comparison.planned._asdict(), "actual": comparison.actual._asdict()}
    content = {"stage": comparison.stage, "origin": comparison.origin} | sides
    write_json(_comparisons(work) / f"{comparison.stage}.json", content)


def read_comparisons(work: Path) -> list[Comparison]:
    """Of every stage that trained with this work folder, by name."""
    found = [json.loads(path.read_text()) for path in sorted(_comparisons(work).glob("*.json"))]
    return [Comparison(one["stage"], one["origin"], StageCost(**one["planned"]), StageCost(**one["actual"])) for one in found]


def _segments_ms(entries: Sequence[Entry], now_ms: int) -> Iterator[int]:
    """How long each process wrote; the last one until now."""
    started = last = None
    for entry in entries:
        if entry["type"] == "start":
            if started is not None and last is not None:
                yield last - started
            started = entry["time"]
        last = entry["time"]
    if started is not None:
        yield max(0, now_ms - started)


def _gpu_memory_bytes(entries: Sequence[Entry]) -> int:
    used = [
        value
        for entry in entries
        if entry["type"] == "system"
        for name, value in entry["metrics"].items()
        if name.startswith("system/gpu_") and name.endswith("_memory_usage_megabytes")
    ]
    return int(max(used, default=0) * 1e6)


def _plan_path(work: Path, params: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
    return work / "plans" / f"{digest}.json"


def _comparisons(work: Path) -> Path:
    return work / "plan_beside_actual"
